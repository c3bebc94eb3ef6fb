/** RFC 8448 §3, value by value: key schedule, traffic keys, Finished, CertificateVerify, records. And the PRF of TLS 1.2. */

import { createNodeProvider } from "@latchkey/crypto/node";
import { parseCertificate } from "@latchkey/x509";
import { expect, it } from "vitest";
import { suiteByNumber } from "../src/cipher-suite.ts";
import { HandshakeInput } from "../src/handshake-input.ts";
import { expandLabel, finishedData, KeySchedule, trafficKeys } from "../src/key-schedule.ts";
import { defaultTlsLimits } from "../src/limits.ts";
import { readCertificate13 } from "../src/messages/certificate.ts";
import { readCertificateVerify, signedContent } from "../src/messages/certificate-verify.ts";
import { readClientHello } from "../src/messages/client-hello.ts";
import { readServerHello } from "../src/messages/server-hello.ts";
import { offeredKeyShares, selectedKeyShare } from "../src/extension-values.ts";
import { prf } from "../src/prf.ts";
import { PeerSignatureVerified } from "../src/proofs.ts";
import { recordProtection } from "../src/record-protection.ts";
import { Transcript } from "../src/transcript.ts";

// The certificate of the document has an RSA key of 1024 bits.
const provider = createNodeProvider({ minimumRsaModulusBits: 1024 });
const hex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "hex"));
const toHex = (octets: Uint8Array): string => Buffer.from(octets).toString("hex");

const messages = {
  clientHello:
    "010000c00303cb34ecb1e78163ba1c38c6dacb196a6dffa21a8d9912ec18a2ef6283024dece7000006130113031302010000910000000b0009000006736572766572ff01000100000a00140012001d0017001800190100010101020103010400230000003300260024001d002099381de560e4bd43d23d8e435a7dbafeb3c06e51c13cae4d5413691e529aaf2c002b0003020304000d0020001e040305030603020308040805080604010501060102010402050206020202002d00020101001c00024001",
  serverHello:
    "020000560303a6af06a4121860dc5e6e60249cd34c95930c8ac5cb1434dac155772ed3e2692800130100002e00330024001d0020c9828876112095fe66762bdbf7c672e156d6cc253b833df1dd69b1b04e751f0f002b00020304",
  encryptedExtensions: "080000240022000a00140012001d00170018001901000101010201030104001c0002400100000000",
  certificate:
    "0b0001b9000001b50001b0308201ac30820115a003020102020102300d06092a864886f70d01010b0500300e310c300a06035504031303727361301e170d3136303733303031323335395a170d3236303733303031323335395a300e310c300a0603550403130372736130819f300d06092a864886f70d010101050003818d0030818902818100b4bb498f8279303d980836399b36c6988c0c68de55e1bdb826d3901a2461eafd2de49a91d015abbc9a95137ace6c1af19eaa6af98c7ced43120998e187a80ee0ccb0524b1b018c3e0b63264d449a6d38e22a5fda430846748030530ef0461c8ca9d9efbfae8ea6d1d03e2bd193eff0ab9a8002c47428a6d35a8d88d79f7f1e3f0203010001a31a301830090603551d1304023000300b0603551d0f0404030205a0300d06092a864886f70d01010b05000381810085aad2a0e5b9276b908c65f73a7267170618a54c5f8a7b337d2df7a594365417f2eae8f8a58c8f8172f9319cf36b7fd6c55b80f21a03015156726096fd335e5e67f2dbf102702e608ccae6bec1fc63a42a99be5c3eb7107c3c54e9b9eb2bd5203b1c3b84e0a8b2f759409ba3eac9d91d402dcc0cc8f8961229ac9187b42b4de10000",
  certificateVerify:
    "0f000084080400805a747c5d88fa9bd2e55ab085a61015b7211f824cd484145ab3ff52f1fda8477b0b7abc90db78e2d33a5c141a078653fa6bef780c5ea248eeaaa785c4f394cab6d30bbe8d4859ee511f602957b15411ac027671459e46445c9ea58c181e818e95b8c3fb0bf3278409d3be152a3da5043e063dda65cdf5aea20d53dfacd42f74f3",
  serverFinished: "140000209b9b141d906337fbd2cbdce71df4deda4ab42c309572cb7fffee5454b78f0718",
  clientFinished: "14000020a8ec436d677634ae525ac1fcebe11a039ec17694fac6e98527b642f2edd5ce61",
};
const sharedSecret = "8bd4054fb55b9d63fdfbacf9f04b9f0d35e6d63f537563efd46272900f89492d";

it("RFC 8448 §3: every secret, key, Finished and signature of the handshake", () => {
  const suite = suiteByNumber(0x1301)!;
  const input = new HandshakeInput(defaultTlsLimits);
  for (const message of Object.values(messages)) input.append(hex(message));
  const next = (): NonNullable<ReturnType<HandshakeInput["next"]>> => input.next()!;

  const clientHello = next();
  const serverHello = next();
  const share = offeredKeyShares(readClientHello(clientHello.body).extensions)![0]!;
  expect(toHex(share.publicValue)).toBe("99381de560e4bd43d23d8e435a7dbafeb3c06e51c13cae4d5413691e529aaf2c");
  expect(toHex(selectedKeyShare(readServerHello(serverHello.body).extensions)!.publicValue)).toBe(
    "c9828876112095fe66762bdbf7c672e156d6cc253b833df1dd69b1b04e751f0f",
  );

  const transcript = new Transcript(provider);
  transcript.add(clientHello.encoding);
  transcript.add(serverHello.encoding);
  transcript.begin("SHA-256", false);
  const schedule = new KeySchedule(provider, "SHA-256");
  schedule.enterHandshake(hex(sharedSecret));
  const client = schedule.derive("client_handshake_traffic_secret", transcript.hash());
  const server = schedule.derive("server_handshake_traffic_secret", transcript.hash());
  expect(toHex(client)).toBe("b3eddb126e067f35a780b3abf45e2d8f3b1a950738f52e9600746a0e27a55a21");
  expect(toHex(server)).toBe("b67b7d690cc16c4e75e54213cb2d37b4e9c912bcded9105d42befd59d391ad38");
  expect(toHex(trafficKeys(provider, suite, server).key)).toBe("3fce516009c21727d0f2e4e86ee403bc");
  expect(toHex(trafficKeys(provider, suite, server).iv)).toBe("5d313eb2671276ee13000b30");
  expect(toHex(trafficKeys(provider, suite, client).key)).toBe("dbfaa693d1762c5b666af5d950258d01");
  expect(toHex(trafficKeys(provider, suite, client).iv)).toBe("5bd3c71b836e0b76bb73265f");

  transcript.add(next().encoding);
  const certificate = next();
  transcript.add(certificate.encoding);
  const [der] = readCertificate13(certificate.body, defaultTlsLimits).chain;
  const key = provider.importSpki(parseCertificate(der!).subjectPublicKeyInfo.encoding);
  const certificateVerify = next();
  const check = {
    provider,
    version: "TLSv1.3",
    offered: ["rsa_pss_rsae_sha256"],
    key,
    signed: readCertificateVerify(certificateVerify.body),
  } as const;
  expect(PeerSignatureVerified.check({ ...check, content: signedContent("server", transcript.hash()) }).scheme).toBe(
    "rsa_pss_rsae_sha256",
  );
  expect(() => PeerSignatureVerified.check({ ...check, content: signedContent("client", transcript.hash()) })).toThrow(
    "not signed by the key",
  );
  transcript.add(certificateVerify.encoding);

  const serverFinished = next();
  expect(toHex(finishedData(provider, "SHA-256", server, transcript.hash()))).toBe(toHex(serverFinished.body));
  transcript.add(serverFinished.encoding);
  schedule.enterMain();
  const clientData = schedule.derive("client_application_traffic_secret_0", transcript.hash());
  expect(toHex(clientData)).toBe("9e40646ce79a7f9dc05af8889bce6552875afa0b06df0087f792ebb7c17504a5");
  expect(toHex(schedule.derive("server_application_traffic_secret_0", transcript.hash()))).toBe(
    "a11af9f05531f856ad47116b45a950328204b4f44bfb6b3a4b4f1f3fcb631643",
  );
  expect(toHex(schedule.derive("exporter_secret", transcript.hash()))).toBe(
    "fe22f881176eda18eb8f44529e6792c50c9a3f89452f68d8ae311b4309d3cf50",
  );
  const clientFinished = next();
  expect(toHex(finishedData(provider, "SHA-256", client, transcript.hash()))).toBe(toHex(clientFinished.body));
  transcript.add(clientFinished.encoding);
  expect(toHex(schedule.derive("resumption_secret", transcript.hash()))).toBe(
    "7df235f2031d2a051287d02b0241b0bfdaf86cc856231f2d5aba46c434ec196c",
  );
  expect(input.isEmpty).toBe(true);

  const content = Uint8Array.from({ length: 50 }, (_, index) => index);
  const record =
    "1703030043a23f7054b62c94d0affafe8228ba55cbefacea42f914aa66bcab3f2b9819a8a5b46b395bd54a9a20441e2b62974e1f5a6292a2977014bd1e3deae63aeebb21694915e4";
  const sealed = new Uint8Array(72);
  const keys = trafficKeys(provider, suite, clientData);
  expect(recordProtection(provider, suite, keys).seal(23, content, sealed, 0, 0)).toBe(72);
  expect(toHex(sealed)).toBe(record);
  const opened = recordProtection(provider, suite, keys).open(hex(record).subarray(0, 5), hex(record).subarray(5));
  expect(opened).toEqual({ type: 23, content, isProtected: true });
  // Additional data is the header as it came.
  expect(recordProtection(provider, suite, keys).open(hex("1703010043"), hex(record).subarray(5))).toBeUndefined();
});

it("HKDF-Expand-Label and the key schedule as RFC 8448 §3 has their first steps", () => {
  const early = hex("33ad0a1c607ec03b09e6cd9893680ce210adf300aa1f2660e1b22e10f170f92a");
  expect(toHex(provider.hkdfExtract("SHA-256", new Uint8Array(0), new Uint8Array(32)))).toBe(toHex(early));
  const empty = provider.hash("SHA-256", new Uint8Array(0));
  expect(toHex(expandLabel(provider, "SHA-256", early, "derived", empty, 32))).toBe(
    "6f2615a108c702c5678f54fc9dbab69716c076189c48250cebeac3576c3611ba",
  );
});

it("the PRF of TLS 1.2 with SHA-256", () => {
  const output = prf(
    provider,
    "SHA-256",
    hex("9bbe436ba940f017b17652849a71db35"),
    "test label",
    hex("a0ba9f936cda311827a6f796ffd5198c"),
    100,
  );
  expect(toHex(output)).toBe(
    "e3f229ba727be17b8d122620557cd453c2aab21d07c3d495329b52d4e61edb5a6b301791e90d35c9c9a46b4e14baf9af0fa022f7077def17abfd3797c0564bab4fbc91666e9def9b97fce34f796789baa48082d122ee42c5a72e5a5110fff70187347b66",
  );
});
