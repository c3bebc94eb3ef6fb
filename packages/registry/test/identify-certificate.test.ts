import { nodeProvider } from "@latchkey/crypto/node";
import {
  certificateAuthority,
  certificateId,
  deviceCertificate,
  issueCertificate,
  issueSelfSignedCertificate,
  makeName,
  serverCertificate,
  type Certificate,
  type CertificateIssuer,
  type CertificateTemplate,
} from "@latchkey/x509";
import { beforeAll, describe, expect, test } from "vitest";
import { CertificateIdentifier } from "../src/identify-certificate.ts";
import { createMemoryStore } from "../src/memory-store.ts";
import type { RegistryStore } from "../src/store.ts";

const now = 1_795_392_000;
const validity = { notBefore: now - 100, notAfter: now + 100 };
const provider = nodeProvider;

function authority(commonName: string, above?: CertificateIssuer): CertificateIssuer {
  const { privateKey, publicKey } = provider.generateKeyPair({ name: "ec", curve: "P-256" });
  const template = certificateAuthority({ subject: makeName([{ type: "CN", value: commonName }]), validity });
  const certificate =
    above === undefined
      ? issueSelfSignedCertificate({ provider, privateKey, template })
      : issueCertificate({ provider, issuer: above, template, publicKey });
  return { certificate, privateKey };
}

function issue(issuer: CertificateIssuer, template: CertificateTemplate): Certificate {
  const { publicKey } = provider.generateKeyPair({ name: "ec", curve: "P-256" });
  return issueCertificate({ provider, issuer, template, publicKey });
}

const subject = makeName([{ type: "serialNumber", value: "G030" }]);
const root = authority("Device CA");
const device = issue(root, deviceCertificate({ subject, validity }));

let store: RegistryStore;
let identifier: CertificateIdentifier;
beforeAll(async () => {
  store = createMemoryStore();
  identifier = new CertificateIdentifier(store, provider);
  await store.createCertificateAuthority({ ...recordOf(root.certificate), status: "ACTIVE" });
  await register(device);
});

function recordOf(certificate: Certificate) {
  return { certificateId: certificateId(certificate, provider), der: certificate.encoding, createdAtSeconds: now };
}

async function register(certificate: Certificate, status: "ACTIVE" | "INACTIVE" | "REVOKED" = "ACTIVE"): Promise<void> {
  await store.createCertificate({ ...recordOf(certificate), status });
}

test("a registered, active certificate of a registered authority is identified, with the proof", async () => {
  const result = await identifier.identify([device.encoding], now);
  expect(result).toMatchObject({ ok: true, identity: { certificateId: certificateId(device, provider) } });
});

test("a chain over an intermediate is identified", async () => {
  const intermediate = authority("Factory", root);
  const leaf = issue(intermediate, deviceCertificate({ subject, validity }));
  await register(leaf);
  expect(await identifier.identify([leaf.encoding], now)).toMatchObject({ ok: false, code: "ERR_IDENTITY_CHAIN" });
  const chain = [leaf.encoding, intermediate.certificate.encoding];
  expect(await identifier.identify(chain, now)).toMatchObject({ ok: true });
});

describe("refused is", () => {
  test("no certificate", async () => {
    expect(await identifier.identify([], now)).toMatchObject({ code: "ERR_IDENTITY_NO_CERTIFICATE" });
  });

  test("what is none", async () => {
    const result = await identifier.identify([Uint8Array.of(0x30, 0x80)], now);
    expect(result).toMatchObject({ code: "ERR_IDENTITY_MALFORMED" });
  });

  test("a registered certificate with a broken one behind it", async () => {
    const result = await identifier.identify([device.encoding, Uint8Array.of(0)], now);
    expect(result).toMatchObject({ code: "ERR_IDENTITY_MALFORMED" });
  });

  test("one that nobody registered", async () => {
    const stranger = issue(root, deviceCertificate({ subject, validity }));
    expect(await identifier.identify([stranger.encoding], now)).toMatchObject({ code: "ERR_IDENTITY_UNKNOWN" });
  });

  test.each(["INACTIVE", "REVOKED"] as const)("an %s one", async (status) => {
    const one = issue(root, deviceCertificate({ subject, validity }));
    await register(one, status);
    expect(await identifier.identify([one.encoding], now)).toMatchObject({ code: "ERR_IDENTITY_NOT_ACTIVE" });
  });

  test("one of a foreign authority, even when it is registered", async () => {
    const foreign = issue(authority("Device CA"), deviceCertificate({ subject, validity }));
    await register(foreign);
    expect(await identifier.identify([foreign.encoding], now)).toMatchObject({ code: "ERR_IDENTITY_CHAIN" });
  });

  test("one for servers", async () => {
    const server = issue(root, serverCertificate({ subject, validity, dnsNames: ["localhost"] }));
    await register(server);
    const result = await identifier.identify([server.encoding], now);
    expect(result).toMatchObject({ code: "ERR_IDENTITY_CHAIN", reason: expect.stringContaining("EXTENDED_KEY_USAGE") });
  });

  test.each([
    ["before its time", now - 101, "NOT_YET_VALID"],
    ["after its time", now + 101, "EXPIRED"],
  ])("one %s", async (_, at, code) => {
    const result = await identifier.identify([device.encoding], at);
    expect(result).toMatchObject({ code: "ERR_IDENTITY_CHAIN", reason: expect.stringContaining(code) });
  });

  test("one of an authority that was not registered until then: the answer changes with the registry", async () => {
    const late = authority("Late CA");
    const leaf = issue(late, deviceCertificate({ subject, validity }));
    await register(leaf);
    expect(await identifier.identify([leaf.encoding], now)).toMatchObject({ ok: false });
    await store.createCertificateAuthority({ ...recordOf(late.certificate), status: "INACTIVE" });
    expect(await identifier.identify([leaf.encoding], now)).toMatchObject({ ok: false });
    const active = authority("Other late CA");
    const other = issue(active, deviceCertificate({ subject, validity }));
    await register(other);
    await store.createCertificateAuthority({ ...recordOf(active.certificate), status: "ACTIVE" });
    expect(await identifier.identify([other.encoding], now)).toMatchObject({ ok: true });
  });
});
