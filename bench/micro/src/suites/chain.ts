/**
 * Verifying a device's chain of three: leaf, intermediate, root. What comes from the peer comes as DER; the root is kept
 * parsed by everybody, as a server keeps it.
 *
 * `cold` remembers nothing between chains; its floor is the two `crypto.verify` calls, one with the root's KeyObject and
 * one with the intermediate's key as it came. `warm` knows the intermediate; its floor is one call with a KeyObject.
 * `crl-10000` is warm with the status of every certificate looked up in kept lists. node-forge has RSA only; neither it
 * nor @peculiar/x509 checks revocation with the chain.
 *
 * `chain/hostile/*` are questions that are made to cost, with certificates, revocation lists and OCSP responses, which end
 * in a verdict or a limit: 20 answers a second are 50 ms.
 */

import { createPublicKey, verify, type KeyObject } from "node:crypto";
import { type ChainVerifier, createChainVerifier } from "@latchkey/chain";
import { checkRevocation, type RevocationChecker } from "@latchkey/chain/revocation";
import type { KeyGenerationAlgorithm } from "@latchkey/crypto";
import { nodeProvider } from "@latchkey/crypto/node";
import {
  type Certificate,
  certificateAuthority,
  type CertificateIssuer,
  type CertificateRevocationList,
  deviceCertificate,
  issueCertificate,
  issueCertificateRevocationList,
  issueSelfSignedCertificate,
  makeName,
  validityFrom,
} from "@latchkey/x509";
import { hostileQuestion, hostileShapes } from "../hostile-chains.ts";
import type { Contender, Scenario, Suite } from "../scenario.ts";

const OURS = "@latchkey/chain";
const NOW = Math.floor(Date.now() / 1000);
const P256: KeyGenerationAlgorithm = { name: "ec", curve: "P-256" };
/** Chains in a batch. */
const BATCH = 8;

interface Chain {
  readonly root: CertificateIssuer;
  readonly intermediate: CertificateIssuer;
  readonly leaf: Certificate;
}

export const suite: Suite = {
  name: "chain",
  scenarios: {
    "chain/verify/p256x3/cold": async () => {
      const chain = makeChain(P256);
      const peers = [bareCold(chain), await pkijsChain(chain), await peculiarChain(chain)];
      return verifying(chain, ours(chain, coldVerifier(chain)), peers);
    },
    "chain/verify/p256x3/warm": async () => {
      const chain = makeChain(P256);
      const peers = [bareWarm(chain), await pkijsChain(chain), await peculiarChain(chain)];
      return verifying(chain, ours(chain, warmVerifier(chain)), peers);
    },
    "chain/verify/rsa2048x3/cold": async () => {
      const chain = makeChain({ name: "rsa", modulusBits: 2048 });
      const peers = [bareCold(chain), await pkijsChain(chain), await peculiarChain(chain), await forgeChain(chain)];
      return verifying(chain, ours(chain, coldVerifier(chain)), peers);
    },
    "chain/verify/p256x3/crl-10000": async () => {
      const chain = makeChain(P256);
      const lists = [revocationList(chain.intermediate, 10_000), revocationList(chain.root, 1)];
      const revocation = checkRevocation({ mode: "hard", revocationLists: lists });
      const peers = [bareWarm(chain), await pkijsChain(chain, lists)];
      return verifying(chain, ours(chain, warmVerifier(chain), revocation), peers);
    },
    ...Object.fromEntries(hostileShapes.map((shape) => [`chain/hostile/${shape}`, () => hostile(shape)])),
  },
};

/** One answer to a question that is made to cost. Its peer is what 50 ms of CPU are: 700 bare signature checks. */
function hostile(shape: string): Scenario {
  const { verifier, inputs } = hostileQuestion(shape);
  const { intermediates = [], revocation } = inputs;
  let bytesPerOperation = revocation?.statementOctets ?? 0;
  for (const each of [inputs.certificate, ...intermediates]) {
    bytesPerOperation += each instanceof Uint8Array ? each.length : each.encoding.length;
  }
  const run = (): number => {
    const result = verifier.verify(inputs);
    return result.ok || result.failures.length > 0 ? 1 : 0;
  };
  return { unit: "answer", bytesPerOperation, subject: { name: OURS, run }, peers: [allowance()] };
}

function allowance(): Contender {
  const { leaf, intermediate } = makeChain(P256);
  const handle = handleOf(intermediate.certificate);
  return {
    name: "bare",
    run: () => {
      let verified = 0;
      for (let index = 0; index < 700; index++) {
        if (verify("sha256", leaf.tbsCertificate, handle, leaf.signatureValue)) verified++;
      }
      return verified === 700 ? 1 : 0;
    },
  };
}

function verifying({ leaf, intermediate }: Chain, subject: Contender, peers: readonly Contender[]): Scenario {
  const bytesPerOperation = leaf.encoding.length + intermediate.certificate.encoding.length;
  return { unit: "chain", bytesPerOperation, subject, peers };
}

function makeChain(algorithm: KeyGenerationAlgorithm): Chain {
  const provider = nodeProvider;
  const validity = validityFrom(NOW - 3600, 365);
  const rootKey = provider.generateKeyPair(algorithm).privateKey;
  const rootTemplate = certificateAuthority({ subject: makeName([{ type: "CN", value: "Bench Root" }]), validity });
  const root = {
    certificate: issueSelfSignedCertificate({ provider, template: rootTemplate, privateKey: rootKey }),
    privateKey: rootKey,
  };
  const { privateKey, publicKey } = provider.generateKeyPair(algorithm);
  const template = certificateAuthority({ subject: makeName([{ type: "CN", value: "Bench Intermediate" }]), validity });
  const intermediate = {
    certificate: issueCertificate({ provider, template, issuer: root, publicKey }),
    privateKey,
  };
  const leaf = issueCertificate({
    provider,
    template: deviceCertificate({ subject: makeName([{ type: "CN", value: "button-1" }]), validity }),
    issuer: intermediate,
    publicKey: provider.generateKeyPair(algorithm).publicKey,
  });
  return { root, intermediate, leaf };
}

function revocationList(issuer: CertificateIssuer, count: number): CertificateRevocationList {
  return issueCertificateRevocationList({
    provider: nodeProvider,
    issuer,
    thisUpdate: NOW - 3600,
    nextUpdate: NOW + 86_400,
    number: 1,
    entries: Array.from({ length: count }, () => ({
      serialNumber: positive(nodeProvider.randomBytes(16)),
      revocationDate: NOW - 7200,
    })),
  });
}

function positive(octets: Uint8Array): Uint8Array {
  octets[0] = ((octets[0] ?? 0) & 0x3f) | 0x40;
  return octets;
}

function coldVerifier({ root }: Chain): ChainVerifier {
  return createChainVerifier({
    provider: nodeProvider,
    trustAnchors: [root.certificate],
    profile: "iotDevice",
    rememberedCertificates: 0,
  });
}

function warmVerifier({ root }: Chain): ChainVerifier {
  return createChainVerifier({ provider: nodeProvider, trustAnchors: [root.certificate], profile: "iotDevice" });
}

function ours({ leaf, intermediate }: Chain, verifier: ChainVerifier, revocation?: RevocationChecker): Contender {
  const inputs = {
    certificate: leaf.encoding,
    intermediates: [intermediate.certificate.encoding],
    purpose: "clientAuth",
    time: NOW,
    ...(revocation === undefined ? {} : { revocation }),
  } as const;
  return {
    name: OURS,
    run: () => {
      let verified = 0;
      for (let index = 0; index < BATCH; index++) if (verifier.verify(inputs).ok) verified++;
      return verified;
    },
  };
}

function handleOf({ subjectPublicKeyInfo }: Certificate): KeyObject {
  return createPublicKey({ key: Buffer.from(subjectPublicKeyInfo.encoding), format: "der", type: "spki" });
}

function bareCold({ root, intermediate, leaf }: Chain): Contender {
  const rootHandle = handleOf(root.certificate);
  return {
    name: "bare",
    run: () => {
      let verified = 0;
      for (let index = 0; index < BATCH; index++) {
        const { certificate } = intermediate;
        const isIntermediate = verify("sha256", certificate.tbsCertificate, rootHandle, certificate.signatureValue);
        const isLeaf = verify("sha256", leaf.tbsCertificate, handleOf(certificate), leaf.signatureValue);
        if (isIntermediate && isLeaf) verified++;
      }
      return verified;
    },
  };
}

function bareWarm({ intermediate, leaf }: Chain): Contender {
  const handle = handleOf(intermediate.certificate);
  return {
    name: "bare",
    run: () => {
      let verified = 0;
      for (let index = 0; index < BATCH; index++) {
        if (verify("sha256", leaf.tbsCertificate, handle, leaf.signatureValue)) verified++;
      }
      return verified;
    },
  };
}

async function pkijsChain(chain: Chain, lists: readonly CertificateRevocationList[] = []): Promise<Contender> {
  const { Certificate, CertificateChainValidationEngine, CertificateRevocationList: List } = await import("pkijs");
  const { root, intermediate, leaf } = chain;
  const read = (encoding: Uint8Array): InstanceType<typeof Certificate> =>
    Certificate.fromBER(Uint8Array.from(encoding).buffer);
  const trustedCerts = [read(root.certificate.encoding)];
  const { fromBER } = await import("asn1js");
  // Its own reader stops at 10,000 elements.
  const crls = lists.map(
    ({ encoding }) => new List({ schema: fromBER(Uint8Array.from(encoding).buffer, { maxNodes: 1_000_000 }).result }),
  );
  const checkDate = new Date(NOW * 1000);
  return {
    name: "pkijs",
    run: async () => {
      let verified = 0;
      for (let index = 0; index < BATCH; index++) {
        const certs = [read(intermediate.certificate.encoding), read(leaf.encoding)];
        const engine = new CertificateChainValidationEngine({ trustedCerts, certs, crls, checkDate });
        const { result, resultMessage } = await engine.verify();
        if (!result) throw new Error(`pkijs: ${resultMessage}`);
        verified++;
      }
      return verified;
    },
  };
}

async function peculiarChain({ root, intermediate, leaf }: Chain): Promise<Contender> {
  await import("reflect-metadata");
  const { X509Certificate, X509ChainBuilder } = await import("@peculiar/x509");
  const trusted = new X509Certificate(Uint8Array.from(root.certificate.encoding));
  return {
    name: "@peculiar/x509",
    run: async () => {
      let verified = 0;
      for (let index = 0; index < BATCH; index++) {
        const certificates = [trusted, new X509Certificate(Uint8Array.from(intermediate.certificate.encoding))];
        const built = await new X509ChainBuilder({ certificates }).build(
          new X509Certificate(Uint8Array.from(leaf.encoding)),
        );
        if (built.length === 3) verified++;
      }
      return verified;
    },
  };
}

async function forgeChain({ root, intermediate, leaf }: Chain): Promise<Contender> {
  // @ts-expect-error -- node-forge ships no types
  const { default: forge } = await import("node-forge");
  const read = (encoding: Uint8Array): unknown =>
    forge.pki.certificateFromAsn1(forge.asn1.fromDer(Buffer.from(encoding).toString("binary")));
  const store = forge.pki.createCaStore([read(root.certificate.encoding)]);
  return {
    name: "node-forge",
    run: () => {
      let verified = 0;
      for (let index = 0; index < BATCH; index++) {
        const chain = [read(leaf.encoding), read(intermediate.certificate.encoding)];
        if (forge.pki.verifyCertificateChain(store, chain)) verified++;
      }
      return verified;
    },
  };
}
