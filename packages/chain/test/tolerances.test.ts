/** Slips of makers, each made by hand: strict profiles refuse them as malformed, `iotDevice` reads on and warns. */

import { encodeDer } from "@latchkey/asn1";
import { encodeSignatureAlgorithm, type KeyPair } from "@latchkey/crypto";
import { nodeProvider } from "@latchkey/crypto/node";
import {
  basicConstraints,
  type Extension,
  keyUsage,
  type KeyUsage,
  makeExtension,
  makeName,
  type Name,
  parseCertificate,
  subjectKeyIdentifier,
  type Tolerances,
} from "@latchkey/x509";
import { describe, expect, test } from "vitest";
import {
  type ChainResult,
  createChainVerifier,
  describeFailure,
  explainChain,
  type ProfileName,
} from "../src/index.ts";
import { checkRevocation } from "../src/revocation.ts";
import { dns, endEntity, type Entity, entity, family, newKeys, now } from "./issuing.ts";

interface Slips {
  /** The common names stand in PrintableStrings, whatever is in them. */
  readonly printableNames?: boolean;
  /** BOOLEAN TRUE as 0x01. */
  readonly trueIsOne?: boolean;
  readonly falseWrittenOut?: boolean;
  readonly nullParameters?: boolean;
}

function nameOf(value: string, isPrintable: boolean): Name {
  if (!isPrintable) return makeName([{ type: "CN", value }]);
  const encoding = encodeDer((writer) =>
    writer.sequence((sets) =>
      sets.setOf([
        encodeDer((attribute) =>
          attribute.sequence((fields) => {
            fields.oid(Uint8Array.of(0x55, 0x04, 0x03));
            fields.primitive(
              0x13,
              Uint8Array.from(value, (character) => character.charCodeAt(0)),
            );
          }),
        ),
      ]),
    ),
  );
  return { rdns: [], encoding };
}

function issueWith(
  slips: Slips,
  subject: Entity,
  issuer: Entity,
  extensions: readonly Extension[],
  signer: KeyPair,
): Uint8Array {
  const algorithm =
    slips.nullParameters === true
      ? encodeDer((writer) =>
          writer.sequence((fields) => {
            // ecdsa-with-SHA256.
            fields.oid(Uint8Array.of(0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02));
            fields.null();
          }),
        )
      : encodeSignatureAlgorithm({ name: "ecdsa", hash: "SHA-256" });
  const tbs = encodeDer((writer) =>
    writer.sequence((fields) => {
      fields.explicit(0, (explicit) => explicit.integer(2));
      fields.integer(7);
      fields.encoded(algorithm);
      fields.encoded(issuer.name.encoding);
      fields.sequence((validity) => {
        validity.time(now - 1000);
        validity.time(now + 1000);
      });
      fields.encoded(subject.name.encoding);
      fields.encoded(subject.keys.publicKey.spki);
      fields.explicit(3, (explicit) =>
        explicit.sequence((list) => {
          for (const { oid, critical, value } of extensions) {
            list.sequence((each) => {
              each.oid(oid);
              if (critical) each.primitive(0x01, Uint8Array.of(slips.trueIsOne === true ? 0x01 : 0xff));
              else if (slips.falseWrittenOut === true) each.primitive(0x01, Uint8Array.of(0x00));
              each.octetString(value);
            });
          }
        }),
      );
    }),
  );
  return encodeDer((writer) =>
    writer.sequence((fields) => {
      fields.encoded(tbs);
      fields.encoded(algorithm);
      fields.bitString(nodeProvider.sign(signer.privateKey, { name: "ecdsa", hash: "SHA-256" }, tbs));
    }),
  );
}

const authorityExtensions: readonly Extension[] = [
  makeExtension(basicConstraints, { cA: true, pathLenConstraint: undefined }, true),
  makeExtension<readonly KeyUsage[]>(keyUsage, ["keyCertSign", "cRLSign"], true),
  makeExtension(subjectKeyIdentifier, Uint8Array.of(1, 2, 3)),
];

/** A root, an intermediate and a device, all with the slips. */
function chainWith(slips: Slips): {
  readonly root: Uint8Array;
  readonly intermediate: Uint8Array;
  readonly device: Uint8Array;
} {
  const isPrintable = slips.printableNames === true;
  const named = (value: string): Entity => ({ name: nameOf(value, isPrintable), keys: newKeys() });
  const [root, intermediate, device] = [named("A & B Root"), named("A_B Intermediate"), named("eui48_0004A30B001C")];
  return {
    root: issueWith(slips, root, root, authorityExtensions, root.keys),
    intermediate: issueWith(slips, intermediate, root, authorityExtensions, root.keys),
    device: issueWith(slips, device, intermediate, endEntity("clientAuth"), intermediate.keys),
  };
}

function ask(
  { root, intermediate, device }: ReturnType<typeof chainWith>,
  profile: ProfileName,
  tolerances: Tolerances = {},
  isParsed = false,
): ChainResult {
  const verifier = createChainVerifier({ provider: nodeProvider, trustAnchors: [root], profile, tolerances });
  const read = (der: Uint8Array): Uint8Array | ReturnType<typeof parseCertificate> =>
    isParsed ? parseCertificate(der, { checkContents: false }) : der;
  return verifier.verify({
    certificate: read(device),
    intermediates: [read(intermediate)],
    purpose: "clientAuth",
    time: now,
  });
}

function toleratedIn(result: ChainResult): string[] {
  if (!result.ok) throw new Error(explainChain(result).join("\n"));
  return result.warnings.flatMap((found) =>
    found.code === "ERR_CHAIN_TOLERATED" ? [`${found.evidence.tolerance}@${found.certificateIndex}`] : [],
  );
}

describe.each<[string, Slips]>([
  ["nameString", { printableNames: true }],
  ["booleanTrue", { trueIsOne: true }],
  ["defaultWrittenOut", { falseWrittenOut: true }],
  ["nullParameters", { nullParameters: true }],
])("%s", (tolerance, slips) => {
  const chain = chainWith(slips);

  test.each([false, true])("iotDevice accepts a chain full of it, and warns (parsed: %s)", (isParsed) => {
    const warned = toleratedIn(ask(chain, "iotDevice", {}, isParsed));
    expect(warned).toContain(`${tolerance}@0`);
    expect(warned).toContain(`${tolerance}@1`);
    expect(warned).toContain(`${tolerance}@2`);
    const result = ask(chain, "iotDevice");
    const [first] = result.ok ? result.warnings.filter(({ code }) => code === "ERR_CHAIN_TOLERATED") : [];
    expect(first && describeFailure(first)).toContain(`tolerated as ${tolerance}`);
  });

  test.each(["rfc5280", "webpki"] as const)("%s refuses it as malformed", (profile) => {
    for (const isParsed of [false, true]) {
      const result = ask(chain, profile, {}, isParsed);
      expect(result.ok ? [] : result.failures.map(({ code }) => code).join(" ")).toMatch(
        /ERR_CHAIN_(CERTIFICATE_MALFORMED|SIGNATURE_ALGORITHM)/,
      );
    }
  });

  test("each can be allowed, warned of or refused by itself", () => {
    expect(toleratedIn(ask(chain, "iotDevice", { [tolerance]: "allow" }))).toEqual([]);
    expect(ask(chain, "iotDevice", { [tolerance]: "refuse" }).ok).toBe(false);
  });
});

test("a certificate authority with a slip in its name does not refuse what is below it", () => {
  const chain = chainWith({ printableNames: true });
  const { device } = family();
  expect(toleratedIn(ask(chain, "iotDevice")).length).toBeGreaterThan(0);
  // And another name under another type stays another name.
  const other = { ...chain, intermediate: chainWith({}).intermediate };
  expect(ask(other, "iotDevice").ok).toBe(false);
  expect(device.name.rdns).toHaveLength(1);
});

describe("an empty revokedCertificates", () => {
  const root = entity("List Root");
  const rootCertificate = issueWith({}, root, root, authorityExtensions, root.keys);
  const device = issueWith({}, entity("device"), root, endEntity("clientAuth", [dns("a.example")]), root.keys);
  const algorithm = encodeSignatureAlgorithm({ name: "ecdsa", hash: "SHA-256" });
  const tbs = encodeDer((writer) =>
    writer.sequence((fields) => {
      fields.integer(1);
      fields.encoded(algorithm);
      fields.encoded(root.name.encoding);
      fields.time(now - 100);
      fields.time(now + 100);
      fields.sequence(() => {});
      fields.explicit(0, (explicit) =>
        explicit.sequence((list) =>
          list.sequence((number) => {
            number.oid(Uint8Array.of(0x55, 0x1d, 20));
            number.octetString(Uint8Array.of(0x02, 0x01, 0x01));
          }),
        ),
      );
    }),
  );
  const list = encodeDer((writer) =>
    writer.sequence((fields) => {
      fields.encoded(tbs);
      fields.encoded(algorithm);
      fields.bitString(nodeProvider.sign(root.keys.privateKey, { name: "ecdsa", hash: "SHA-256" }, tbs));
    }),
  );

  function asking(profile: ProfileName, tolerances: Tolerances = {}): ChainResult {
    const checks = { authorityKeyIdentifier: "off", subjectKeyIdentifier: "off" } as const;
    return createChainVerifier({
      provider: nodeProvider,
      trustAnchors: [rootCertificate],
      profile,
      checks,
      tolerances,
    }).verify({
      certificate: device,
      purpose: "clientAuth",
      time: now,
      revocation: checkRevocation({ mode: "hard", revocationLists: [list] }),
    });
  }

  test("counts where it is tolerated, with a warning", () => {
    expect(toleratedIn(asking("iotDevice"))).toEqual(["emptyRevokedCertificates@0"]);
    expect(toleratedIn(asking("iotDevice", { emptyRevokedCertificates: "allow" }))).toEqual([]);
    const refused = asking("rfc5280");
    expect(refused.ok ? [] : refused.failures[0]).toMatchObject({
      code: "ERR_CHAIN_REVOCATION_UNKNOWN",
      evidence: { reasons: [{ code: "ERR_REVOCATION_LIST_MALFORMED", evidence: { reason: "ERR_X509_EMPTY_LIST" } }] },
    });
  });
});
