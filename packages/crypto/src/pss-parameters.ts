/** RSASSA-PSS-params (RFC 4055 §3.1), in signature algorithms and in keys. */

import {
  contextConstructed,
  decodeOid,
  DerReader,
  equalBytes,
  Tag,
  type DerElement,
  type DerWriter,
} from "@latchkey/asn1";
import { CryptoError } from "./errors.ts";
import { hashLength } from "./hash-length.ts";
import { namedOid } from "./oid-names.ts";
import * as oids from "./oids.ts";
import type { RsaPssParameters, SignatureHash } from "./provider.ts";
import { contentReader, isNull, readAlgorithmIdentifier } from "./reading.ts";

/** More than any modulus up to 8192 bits has room for; what a key has room for is checked with the key. */
const maximumSaltLength = 1024;

/**
 * Reads PSS parameters. All defaults are SHA-1's, so hash and mask generation must be there, with one hash for both.
 *
 * Throws `ERR_CRYPTO_SHA1_SIGNATURE` where a hash is SHA-1, `ERR_CRYPTO_UNSUPPORTED_SIGNATURE_ALGORITHM` where the two
 * hashes differ, and `malformed` for what RFC 4055 does not allow.
 */
export function readPssParameters(
  parameters: DerElement,
  malformed: "ERR_CRYPTO_MALFORMED_KEY" | "ERR_CRYPTO_MALFORMED_ALGORITHM",
): RsaPssParameters {
  if (parameters.tag !== Tag.sequence) {
    throw new CryptoError(malformed, "The PSS parameters are no SEQUENCE", {
      problem: "parameters",
      offset: parameters.offset,
      clause: "RFC 4055 §3.1",
    });
  }
  const body = contentReader(parameters);
  const encodedDefault = (offset: number): Error =>
    new CryptoError(malformed, "The PSS parameters write a default out, which DER leaves out", {
      problem: "parameters",
      offset,
      clause: "X.690 §11.5",
    });

  const hash = body.nextIs(contextConstructed(0)) ? readHash(body.explicit(0), encodedDefault) : undefined;
  const maskHash = body.nextIs(contextConstructed(1)) ? readMaskHash(body.explicit(1), encodedDefault) : undefined;
  let saltLength = 20;
  if (body.nextIs(contextConstructed(2))) {
    const { offset } = body;
    const field = body.explicit(2);
    saltLength = field.smallInteger(maximumSaltLength);
    field.end();
    if (saltLength === 20) throw encodedDefault(offset);
  }
  if (body.nextIs(contextConstructed(3))) {
    // RFC 4055 §3.1: the trailer field is 1, which is the default, so nothing is left to encode.
    throw new CryptoError(malformed, "The PSS parameters have a trailer field, whose only value is the default", {
      problem: "parameters",
      offset: body.offset,
      clause: "RFC 4055 §3.1",
    });
  }
  body.end();

  if (hash === undefined || maskHash === undefined) {
    throw new CryptoError(
      "ERR_CRYPTO_SHA1_SIGNATURE",
      "The PSS parameters name no hash, which means SHA-1: sign with SHA-256 or better",
      {
        algorithm: "RSA-PSS with SHA-1",
        offset: parameters.offset,
        clause: "RFC 4055 §3.1",
      },
    );
  }
  if (hash !== maskHash) {
    const reason = `PSS with ${hash} and mask generation by ${maskHash} is not supported: both have to be one hash`;
    throw unsupportedAlgorithm(reason, oids.rsassaPss, parameters.offset, "RFC 4055 §2.2");
  }
  return { hash, saltLength };
}

function readMaskHash(field: DerReader, encodedDefault: (offset: number) => Error): SignatureHash {
  const { oid, parameters, offset } = readAlgorithmIdentifier(field);
  field.end();
  if (!equalBytes(oid, oids.mgf1) || parameters === undefined) {
    throw unsupportedAlgorithm(`The mask generation function ${decodeOid(oid)} is not supported; MGF1 is`, oid, offset);
  }
  return readHash(new DerReader(parameters.encoding, { baseOffset: parameters.offset }), encodedDefault);
}

/** RFC 4055 §2.1: the hash's own parameters are NULL or absent, both to be accepted. */
function readHash(field: DerReader, encodedDefault: (offset: number) => Error): SignatureHash {
  const { oid, parameters, offset } = readAlgorithmIdentifier(field);
  field.end();
  if (equalBytes(oid, oids.sha1)) throw encodedDefault(offset);
  const hash = hashOids.find(([candidate]) => equalBytes(candidate, oid))?.[1];
  if (hash === undefined || !(parameters === undefined || isNull(parameters))) {
    const reason = `PSS with the hash ${namedOid(oid)} is not supported; SHA-256, SHA-384 and SHA-512 are`;
    throw unsupportedAlgorithm(reason, oid, offset);
  }
  return hash;
}

const hashOids: readonly (readonly [Uint8Array, SignatureHash])[] = [
  [oids.sha256, "SHA-256"],
  [oids.sha384, "SHA-384"],
  [oids.sha512, "SHA-512"],
];

/** Writes PSS parameters: hashes with NULL (RFC 4055 §2.1), the salt's length unless it is the default. */
export function writePssParameters(writer: DerWriter, { hash, saltLength }: RsaPssParameters): void {
  writer.sequence((body) => {
    body.explicit(0, (field) => writeHash(field, hash));
    body.explicit(1, (field) => {
      field.sequence((mask) => {
        mask.oid(oids.mgf1);
        writeHash(mask, hash);
      });
    });
    if (saltLength !== 20) body.explicit(2, (field) => field.integer(saltLength));
  });
}

function writeHash(writer: DerWriter, hash: SignatureHash): void {
  const oid = hashOids.find(([, candidate]) => candidate === hash)?.[0] ?? oids.sha256;
  writer.sequence((body) => {
    body.oid(oid);
    body.null();
  });
}

/** The signature algorithms that are supported, for messages. */
export const supportedNames: readonly string[] = ["ECDSA", "Ed25519", "RSA PKCS #1 v1.5", "RSA-PSS"];

/** A signature algorithm, or a part of one, that is not supported; `oid` are the content octets of its identifier. */
export function unsupportedAlgorithm(
  reason: string,
  oid: Uint8Array | undefined,
  offset: number | undefined,
  clause?: string,
): CryptoError {
  return new CryptoError("ERR_CRYPTO_UNSUPPORTED_SIGNATURE_ALGORITHM", reason, {
    algorithm: oid === undefined ? "" : decodeOid(oid),
    supported: supportedNames,
    offset,
    clause,
  });
}

/** RFC 4055 §3.1 advises it, RFC 8446 §4.2.3 and BoringSSL demand it: a salt as long as the hash. */
export function hasStandardSalt({ hash, saltLength }: RsaPssParameters): boolean {
  return saltLength === hashLength(hash);
}
