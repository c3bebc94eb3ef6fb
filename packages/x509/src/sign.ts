/** What every signed structure of X.509 has in common: `SEQUENCE { toBeSigned, algorithm, BIT STRING }`. */

import { encodeDer } from "@latchkey/asn1";
import {
  type CryptoProvider,
  defaultSignatureAlgorithm,
  encodeSignatureAlgorithm,
  type PrivateKey,
  type SignatureAlgorithm,
} from "@latchkey/crypto";

/** How to sign. */
export interface Signing {
  readonly provider: CryptoProvider;
  readonly privateKey: PrivateKey;
  /** Default: what `defaultSignatureAlgorithm` says for the key. */
  readonly signatureAlgorithm?: SignatureAlgorithm | undefined;
}

/** What signing needs. The algorithm is part of what is signed, so it is chosen first. */
export interface Signer {
  /** The AlgorithmIdentifier. */
  readonly algorithm: Uint8Array;
  readonly sign: (toBeSigned: Uint8Array) => Uint8Array<ArrayBuffer>;
  readonly signAsync: (toBeSigned: Uint8Array) => Promise<Uint8Array<ArrayBuffer>>;
}

/** Chooses the algorithm and makes the signer. */
export function makeSigner({ provider, privateKey, signatureAlgorithm }: Signing): Signer {
  const chosen = signatureAlgorithm ?? defaultSignatureAlgorithm(privateKey.algorithm);
  const algorithm = encodeSignatureAlgorithm(chosen);
  const put = (toBeSigned: Uint8Array, signature: Uint8Array): Uint8Array<ArrayBuffer> =>
    encodeDer((writer) => {
      writer.sequence((fields) => {
        fields.encoded(toBeSigned);
        fields.encoded(algorithm);
        fields.bitString(signature);
      });
    });
  return {
    algorithm,
    sign: (toBeSigned) => put(toBeSigned, provider.sign(privateKey, chosen, toBeSigned)),
    signAsync: async (toBeSigned) => put(toBeSigned, await provider.signAsync(privateKey, chosen, toBeSigned)),
  };
}
