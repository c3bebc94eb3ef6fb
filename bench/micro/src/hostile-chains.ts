/**
 * Questions to a chain verifier that are made to cost, each at its worst: what a peer could send that has one end-entity
 * certificate, or one certificate authority, below a trust anchor.
 */

import { encodeOid } from "@latchkey/asn1";
import { type ChainVerifier, createChainVerifier, type VerifyInputs } from "@latchkey/chain";
import type { KeyPair } from "@latchkey/crypto";
import { nobleProvider } from "@latchkey/crypto/noble";
import { nodeProvider } from "@latchkey/crypto/node";
import {
  certificatePolicies,
  type Extension,
  type GeneralName,
  makeExtension,
  nameConstraints,
  policyMappings,
  subjectAltName,
} from "@latchkey/x509";
import {
  authority,
  endEntity,
  entity,
  type Entity,
  issue,
  leaf,
  longName,
  many,
  newKeys,
  NOW,
  type Question,
  root,
  type Shapes,
} from "./hostile-certificates.ts";
import { statementShapes } from "./hostile-statements.ts";

/** One question, and the verifier that it is asked. */
export interface HostileQuestion {
  readonly verifier: ChainVerifier;
  readonly inputs: VerifyInputs;
}

function names(count: number, suffix: string): GeneralName[] {
  return many(count, (index) => ({ type: "dNSName", value: `n${index}.${suffix}` }));
}

function alternativeNames(count: number, suffix: string): Extension {
  return makeExtension(subjectAltName, names(count, suffix));
}

function excluded(subtrees: readonly GeneralName[]): Extension {
  return makeExtension(nameConstraints, { permittedSubtrees: undefined, excludedSubtrees: subtrees }, true);
}

function policies(count: number): Extension {
  return makeExtension(
    certificatePolicies,
    many(count, (index) => ({ policyIdentifier: encodeOid(`1.2.${index}`), policyQualifiers: [] })),
  );
}

function mappings(count: number): Extension {
  return makeExtension(
    policyMappings,
    many(count, (index) => ({
      issuerDomainPolicy: encodeOid(`1.2.${index}`),
      subjectDomainPolicy: encodeOid(`1.2.${(index * 7) % count}`),
    })),
  );
}

/** Certificates that all certify each other, each with more extensions, and a device below the first. */
function mesh(
  people: readonly Entity[],
  holder: Entity,
  more: readonly Extension[] = [],
  ofLeaf: readonly Extension[] = [],
): Question {
  const [first = holder] = people;
  const intermediates = people.flatMap((subject) =>
    [...people, holder]
      .filter((issuer) => issuer !== subject)
      .map((issuer) => issue(subject, issuer, [...authority, ...more])),
  );
  return { certificate: leaf(first, ofLeaf), intermediates };
}

/** Below the holder of one end-entity certificate, which is no certificate authority. */
function meshBelowDevice(people: readonly Entity[], more: readonly Extension[] = []): Question {
  const holder = entity("holder");
  const { certificate, intermediates = [] } = mesh(people, holder, more);
  return { certificate, intermediates: [...intermediates, issue(holder, root, endEntity)] };
}

/** Three levels of six certificates of one name: 216 whole paths. */
function levels(more: readonly Extension[]): Question {
  const people = many(3, (index) => entity(`Level ${index}`));
  const intermediates = people.flatMap((subject, level) =>
    many(6, () => issue(subject, people[level - 1] ?? root, [...authority, ...more])),
  );
  return { certificate: leaf(people.at(-1) ?? root), intermediates, policies: { requireExplicitPolicy: true } };
}

/** Certificates of one name, none of which has the key that signed. */
function wrongKeys(keys: readonly KeyPair[]): Question {
  return {
    certificate: leaf(entity("One Name")),
    intermediates: keys.map((each) => issue(entity("One Name", each), root, authority)),
  };
}

/** A hundred certificates in a line below the root, and a device below the last. */
function lineNamed(name: (index: number) => string): Question {
  const keys = newKeys();
  const line = many(100, (index) => entity(name(index), keys));
  const intermediates = line.map((subject, index) => issue(subject, line[index - 1] ?? root, authority));
  return { certificate: leaf(line.at(-1) ?? root), intermediates };
}

const shapes: Shapes = {
  "mesh-below-device": () => meshBelowDevice(many(30, (index) => entity(`M${index}`))),
  "mesh-below-device-one-key": () => {
    const keys = newKeys();
    return meshBelowDevice(many(14, (index) => entity(`M${index}`, keys)));
  },
  "mesh-below-device-400-part-names": () =>
    meshBelowDevice(many(8, (index) => ({ name: longName(400, `${index}-`), keys: newKeys() }))),
  "mesh-below-device-1000-names": () =>
    meshBelowDevice(
      many(8, (index) => entity(`M${index}`)),
      [alternativeNames(1000, "example")],
    ),
  "mesh-of-authorities": () =>
    mesh(
      many(9, (index) => entity(`M${index}`)),
      root,
      [excluded(names(1, "bad"))],
      [alternativeNames(1, "bad")],
    ),
  "levels-18000-policies": () => levels([policies(18_000)]),
  "levels-2000-policies-mapped": () => levels([policies(2000), mappings(2000)]),
  "levels-9000-excluded-names": () => levels([excluded(names(9000, "excluded.example"))]),
  "15-large-not-needed": () => ({
    certificate: leaf(root),
    intermediates: many(15, (index) =>
      issue(entity(`Large ${index}`), entity("Elsewhere"), [...authority, alternativeNames(15_000, "b")]),
    ),
  }),
  "1024-of-one-name": () => {
    const keys = many(60, () => newKeys());
    return wrongKeys(many(1024, (index) => keys[index % keys.length] ?? newKeys()));
  },
  "100-p521-keys": () => wrongKeys(many(100, () => newKeys("P-521"))),
  "100-p521-keys-noble": () => wrongKeys(many(100, () => newKeys("P-521"))),
  "leaf-20000-names": () => ({ certificate: leaf(root, [alternativeNames(20_000, "b")]) }),
  // A character that stands for 18 others, and marks that normalisation has to sort.
  "100-names-of-ligatures": () => lineNamed((index) => `${index}${"\ufdfa".repeat(1000)}`),
  "100-names-of-marks": () => lineNamed((index) => `${index}${"\u0344\u0316".repeat(750)}`),
  "issuer-name-of-marks": () => ({ certificate: leaf(entity("\u0344\u0316".repeat(30_000))) }),
  "1000-names-1000-constraints": () => {
    const between = entity("Between");
    return {
      certificate: leaf(between, [alternativeNames(1000, "test")]),
      intermediates: [issue(between, root, [...authority, excluded(names(1000, "example"))])],
    };
  },
  ...statementShapes,
};

/** The names of the shapes. */
export const hostileShapes: readonly string[] = Object.keys(shapes);

/**
 * Makes what a shape asks with, and a verifier that remembers nothing. Throws RangeError for a name that is none. What only
 * a profile asks for is a warning, so that no path ends before what is made to cost.
 */
export function hostileQuestion(shape: string): HostileQuestion {
  const make = shapes[shape];
  if (make === undefined) throw new RangeError(`no hostile shape ${shape}`);
  const verifier = createChainVerifier({
    provider: shape.endsWith("-noble") ? nobleProvider : nodeProvider,
    trustAnchors: [issue(root, root, authority)],
    profile: "iotDevice",
    rememberedCertificates: 0,
  });
  return { verifier, inputs: { ...make(), purpose: "clientAuth", time: NOW } };
}
