/**
 * The corpora of other projects that tests read: where each comes from, at which commit, its licence, and the SHA-256 of
 * each file. `npm run vectors` fetches those that are published in the form in which the tests read them.
 */

/** One file of a corpus. */
export interface CorpusFile {
  /** Below the corpora's folder, with `/`. */
  readonly path: string;
  /** Where it is published. */
  readonly address: string;
  /** SHA-256 of its octets, in hex. */
  readonly sha256: string;
}

/** A corpus made by another project. */
export interface Corpus {
  readonly name: string;
  /** SPDX identifier. */
  readonly licence: string;
  /** How many cases the tests take from it. */
  readonly cases: number;
  /** Its folder or file below the corpora's folder; it is there when this is. */
  readonly place: string;
  /** What `npm run vectors` fetches. Empty where the corpus is not published in this form. */
  readonly files: readonly CorpusFile[];
}

const wycheproofAddress = "https://raw.githubusercontent.com/C2SP/wycheproof/3fa63dd0344abb611f1fb1d77e119938603ea230/";
const limboAddress = "https://raw.githubusercontent.com/C2SP/x509-limbo/c6040f178a947b3fa4d4a5c118d5594f0e0ca6e2/";

/** The files of Wycheproof whose algorithms a crypto provider has, without `.json`. */
export const wycheproofHashes: Readonly<Record<string, string>> = {
  aes_gcm_test: "985e5ecc172e181eaf49e89508b9470dcf478002eb7e8559c707eb42dc97dfe7",
  chacha20_poly1305_test: "fe61d25f90e1bde4461d00eafe61049e5f29bd999f36b766df9cda90906ad53d",
  ecdh_secp256r1_ecpoint_test: "648f16d077caf2400d02331ca51f44744c72c799830c8d0595d0b18b6dd9f886",
  ecdh_secp256r1_test: "cdb8bd5d1206fddb6618c69ffa18f303b4752caba321d348d4aacae3f20cbec4",
  ecdh_secp384r1_ecpoint_test: "ffa7835fe1de359dff762c8f1272b98acebd5578e2f855d969051ff956c6dca3",
  ecdh_secp384r1_test: "25a9c41573dbea97c5b4be2dd00369fa68dc37ac8f41807d8e16226d188ec6a7",
  ecdh_secp521r1_ecpoint_test: "87aba8739c96de2bde8c75b60ffea09d0493192c4d9543d1d969e5e998931f35",
  ecdh_secp521r1_test: "b5e379919833afa94ef6cb7e085367408a5ea63cf486ad008ad36ef9be4bebf0",
  ecdsa_secp256r1_sha256_test: "182db4f3e230f6f9fa9f800d2a614dede30284b8e8438bbfe1171905402e9332",
  ecdsa_secp256r1_sha512_test: "8e940baad7c6172c58c8f354b10366d307be43a3cb82a5880cb46686c3e8f858",
  ecdsa_secp384r1_sha256_test: "660c948e5433279ecdf966e8a1386b69ecec618efc1ff00269e85aa9dc84f0a6",
  ecdsa_secp384r1_sha384_test: "8a5b3ae1760975143414811f13588c24d951d9d8c904195087ba327591dfe9cc",
  ecdsa_secp384r1_sha512_test: "f44bae32e419fc75c5b5af751cff4e35145cfbcc24944e378d5f30889d310513",
  ecdsa_secp521r1_sha512_test: "0fa3bb09a2319242253028b53d555fb8ec2081d891271321205cdaeabb3eef3e",
  ed25519_test: "752d2ea7d7c6cf4736381b6cbacb61f8182b126ab7cd9b058f00c50084975536",
  hkdf_sha256_test: "bb2b462a38b251cb52a2aede706d6d4b62b26864f4e80c95497507ddb07c5f1e",
  hkdf_sha384_test: "69ff6ea3657bb9c1b8cdffbbb4e7832353d08fd15c0d9997b03f7a6b180e3678",
  hkdf_sha512_test: "bb9a21f4e86041caf5d7792b030349f8ff289087f195b2fbc0fc0afc39deca6f",
  hmac_sha1_test: "b521c6180a862247986392d3cb49b511fc7fe790e75bee236f84e36ca290c7c0",
  hmac_sha256_test: "2d201cfa61d1bf95e6f5d07d96634b4a348b31e8eaa277ad7c8d09677b7a743f",
  hmac_sha384_test: "28b9776e979dd755d852ca471043ea6cedce8b15f7a28abdf6ea9efd982b43c0",
  hmac_sha512_test: "b6c90477bdb4a6fc8ee3d1f7b2c0b69a8dfffab34718abaa6cabd71cc2ba1207",
  rsa_pss_2048_sha1_mgf1_20_params_test: "94876cebcf1841e6848034a9b6ac6b6354d9ff233d6e3e64ac2a6258dba1773d",
  rsa_pss_2048_sha1_mgf1_20_test: "96d13ecdc356a24aec01dcbef7c5a15458b78373283113c294a60f8ddf717b29",
  rsa_pss_2048_sha256_mgf1_0_params_test: "3c3cc9f83b8fc16d6234468cbef249b118728e5763ce92eb43e5b7f1b50991d9",
  rsa_pss_2048_sha256_mgf1_0_test: "b22a8d9a2e7e47f681d0ff1d1a55455daaf325d989c64ad005f848bd50b9b4c0",
  rsa_pss_2048_sha256_mgf1_32_params_test: "d22d10a3ac770f8318a590a0ef1e41dd9b00538f57f6c446ce658e99528f89c9",
  rsa_pss_2048_sha256_mgf1_32_test: "7f6efafc160f4816b96cbf1c12188a31051d7e3f001e27505d9edb5f2a0e325c",
  rsa_pss_2048_sha256_mgf1sha1_20_test: "8099d28e300c86cf1cac2ab09cd777186b5ecc0f555d7c178c665b4ff3c08307",
  rsa_pss_2048_sha384_mgf1_48_test: "66d464778b0b2f683a1d1a20e94f77e9472b8cc393b45f423fa08a48e677063c",
  rsa_pss_2048_sha512_mgf1sha256_32_params_test: "842aeb908eeb6c2a9c384cbc2d9179aa6e8d31052ba3e5835795e512693e9929",
  rsa_pss_3072_sha256_mgf1_32_params_test: "29680dac6b482c0aaaae9829ef62c4a28a659266ab7be7e858e2b6f1496ba01b",
  rsa_pss_3072_sha256_mgf1_32_test: "cca48433e6d1accb57f65b3396c4f4dd93c776467101c3f0948e74c283fd4749",
  rsa_pss_4096_sha256_mgf1_32_test: "e627cbf5139a01e0a446c4fe15911f6268224fdd3ef4a1eb714b3942b5686410",
  rsa_pss_4096_sha384_mgf1_48_test: "d632649a7630f7c267eda576714ca11cf0ff068d6622f576b8701f923c112577",
  rsa_pss_4096_sha512_mgf1_32_params_test: "441cb394da0dd37998758014de859644db276611992f057423ac7a1c90013f06",
  rsa_pss_4096_sha512_mgf1_32_test: "af1e1c1c593edf91be3e9880927231d57f9df082f2d8caec2a61d9874ade101f",
  rsa_pss_4096_sha512_mgf1_64_params_test: "bcac95454269a5599ae9de4e5f595a985b59471a1a32ec7fdfc50b8b129eb2cc",
  rsa_pss_4096_sha512_mgf1_64_test: "c93ceaa56a190c9fd4707441c5c6a75839f108202d88aec891697f9623042547",
  rsa_pss_misc_params_test: "02c876f0170b5fc1251a9221b290667b87673f6ae75c8dfd6878158107f537ef",
  rsa_pss_misc_test: "1fac515f67fea8ccbf44ea08fde2de00cd76169f774a54ce2994c9963c31e84f",
  rsa_signature_2048_sha256_test: "94a917b01ff50fb874cfc05bf29b4af44868d944a6558201cf18380da93fb393",
  rsa_signature_2048_sha384_test: "c571c105d261c0ff588a2888a529f152563fb3b77894b7620d4e4f8f934f2c1d",
  rsa_signature_2048_sha512_test: "16ea24b039905d054bdb6004f5fd179374e150b7b6d73a7ba654b6d00eab12ef",
  rsa_signature_3072_sha256_test: "0f5f18cabfaad3e2792e82f7e9882f8999049b456714de924b8a5e202f61ca43",
  rsa_signature_3072_sha384_test: "73499ee649d8fb703b3f0f455fa36f7682fde677c590a736958ebce05ab27dae",
  rsa_signature_3072_sha512_test: "09aa3336fdb7be216180ce944ca7b2a052e1de38c210435c19506327d4a36ebd",
  rsa_signature_4096_sha256_test: "957aca128e30bd02c8982f8ca482d6521d16683f4bbc3f193cdfd4c8f04bc667",
  rsa_signature_4096_sha384_test: "bc26f16b9fc9a90628864d3d1111ef48a4bd00b9d4870bfab88ff326e309e073",
  rsa_signature_4096_sha512_test: "9d6e67b1eb0d7040db411835238efd20e9302399a258bdff82de3f38e0f2855a",
  rsa_signature_8192_sha256_test: "86df4075b4ce5954726abfa00cc19ebe8b608d6d99094d5e123d6a3a86568bd9",
  rsa_signature_8192_sha384_test: "382c2795790021798099bc8e94d0f078ef1f78787f5c7a87aaa25b5556efacff",
  rsa_signature_8192_sha512_test: "c9e5463742d192b5ff1108538841d4d302fd799604a051d09db5f496f2f851f7",
  x25519_asn_test: "810a65ec0fc0c0f46bf6bf26b71675d01f5409dbfac781ad0ea9273d5d08d660",
  x25519_test: "35c3f5231cf25cc640b524d403461deee9e49441d5d915a3a25b2c8ff5adbe7d",
};

/** Every corpus. */
export const corpora: readonly Corpus[] = [
  {
    name: "Wycheproof",
    licence: "Apache-2.0",
    cases: 15_878,
    place: "wycheproof",
    files: [
      {
        path: "wycheproof/LICENSE",
        address: `${wycheproofAddress}LICENSE`,
        sha256: "58d1e17ffe5109a7ae296caafcadfdbe6a7d176f0bc4ab01e12a689b0499d8bd",
      },
      ...Object.entries(wycheproofHashes).map(([name, sha256]) => ({
        path: `wycheproof/${name}.json`,
        address: `${wycheproofAddress}testvectors_v1/${name}.json`,
        sha256,
      })),
    ],
  },
  {
    name: "x509-limbo",
    licence: "Apache-2.0",
    cases: 208,
    place: "limbo.json",
    files: [
      {
        path: "limbo.json",
        address: `${limboAddress}limbo.json`,
        sha256: "b25eab8e2eb3aa4e256a2bafbd01ae011627ac085ea7b7c72e0f51bce44c8f5e",
      },
    ],
  },
  {
    name: "BoringSSL pki",
    licence: "Apache-2.0",
    cases: 952,
    place: "boringssl-parse-certificate.json",
    files: [],
  },
];
