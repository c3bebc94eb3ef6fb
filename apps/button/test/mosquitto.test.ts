/** `latchkey-button --mqtt` as a process, against mosquitto with `require_certificate` and a revocation list. */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { nodeProvider } from "@latchkey/crypto/node";
import { findProgram, runProgram, startProgram, type Finished, type Started } from "@latchkey/tooling-vitest/programs";
import {
  certificatesFromPem,
  certificateToPem,
  deviceCertificate,
  issueCertificateRevocationList,
  makeName,
  revocationListToPem,
  serverCertificate,
} from "@latchkey/x509";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { authority, buttonWords, freePort, issue, validity, type PemIdentity } from "./workshop.ts";

const mosquitto = findProgram("mosquitto");
const mosquittoSub = findProgram("mosquitto_sub");
const isThere = mosquitto.path !== undefined && mosquittoSub.path !== undefined;
const serialNumber = "G030JF055364XVRB";

describe.skipIf(!isThere)(`mosquitto (${isThere ? "installed" : mosquitto.skipReason})`, () => {
  const folder = mkdtempSync(join(tmpdir(), "latchkey-mosquitto-"));
  const file = (name: string): string => join(folder, name);
  const root = authority("Root");
  let broker: Started;
  let port = 0;

  const write = (name: string, { certificate, privateKey }: PemIdentity): PemIdentity => {
    writeFileSync(file(`${name}.pem`), certificate);
    writeFileSync(file(`${name}.key`), privateKey);
    return { certificate, privateKey };
  };
  const device = (name: string): PemIdentity =>
    write(name, issue(root, deviceCertificate({ subject: makeName([{ type: "CN", value: name }]), validity })));
  const press = (name: string, ...words: string[]): Promise<Finished> =>
    runProgram(
      process.execPath,
      buttonWords(
        ...["--mqtt", "--serial", serialNumber, "--port", String(port), "--json"],
        ...["--cert", file(`${name}.pem`), "--key", file(`${name}.key`), "--root", file("root.pem"), ...words],
      ),
    );

  beforeAll(async () => {
    port = await freePort();
    writeFileSync(file("root.pem"), certificateToPem(root.certificate));
    write("server", issue(root, serverCertificate({ validity, dnsNames: ["localhost"] })));
    device("button");
    device("pizzeria");
    const [revoked] = certificatesFromPem(device("revoked").certificate);
    const list = issueCertificateRevocationList({
      provider: nodeProvider,
      issuer: root,
      thisUpdate: validity.notBefore,
      nextUpdate: validity.notAfter,
      number: 1,
      entries: [{ serialNumber: revoked?.serialNumber ?? new Uint8Array(1), revocationDate: validity.notBefore }],
    });
    writeFileSync(file("revoked.crl"), revocationListToPem(list));
    const settings = [
      `listener ${port} localhost`,
      `cafile ${file("root.pem")}`,
      `certfile ${file("server.pem")}`,
      `keyfile ${file("server.key")}`,
      `crlfile ${file("revoked.crl")}`,
      "require_certificate true",
      "use_identity_as_username true",
      "log_dest stderr",
      "log_type all",
      // As root it would become another user, who cannot read these files.
      `user ${userInfo().username}`,
    ];
    writeFileSync(file("mosquitto.conf"), `${settings.join("\n")}\n`);
    broker = startProgram(mosquitto.path ?? "", ["-c", file("mosquitto.conf")], { timeoutMs: 110_000 });
    await broker.saw(/mosquitto version .* running/);
  });
  afterAll(async () => {
    broker.kill();
    await broker.finished;
    rmSync(folder, { recursive: true });
  });

  test("an order reaches a subscriber that is not ours, and the report says what was verified", async () => {
    const pizzeria = startProgram(mosquittoSub.path ?? "", [
      ...["-h", "localhost", "-p", String(port), "-t", "iotbutton/+", "-C", "1", "-v", "-d", "-q", "1"],
      ...["--cafile", file("root.pem"), "--cert", file("pizzeria.pem"), "--key", file("pizzeria.key")],
    ]);
    await broker.saw(/Sending SUBACK/);
    const { code, stdout } = await press("button", "--click", "DOUBLE");
    expect(code).toBe(0);
    expect((await pizzeria.finished).stdout).toContain(
      `iotbutton/${serialNumber} {"serialNumber":"${serialNumber}","batteryVoltage":"1740mV","clickType":"DOUBLE"}`,
    );
    const report = JSON.parse(stdout);
    expect(report).toMatchObject({
      isAcknowledged: true,
      protocol: "mqtt",
      led: "green",
      notVerified: expect.any(Array),
    });
    expect(report.steps).toContainEqual(expect.objectContaining({ step: "tls", sentName: "localhost" }));
    expect(report.steps).toContainEqual(
      expect.objectContaining({ step: "server", isTrusted: true, name: "localhost" }),
    );
    expect(report.steps).toContainEqual({ step: "answer", line: "PUBACK", isAcknowledged: true });
  });

  test("a revoked certificate is told by its alert, at the layer identity", async () => {
    const { code, stdout, stderr } = await press("revoked");
    expect(code).toBe(1);
    expect(stderr).toMatch(/^ERR_BUTTON_CERTIFICATE_REFUSED: .*alert certificate_revoked\n$/);
    expect(JSON.parse(stdout)).toMatchObject({
      isAcknowledged: false,
      led: "red, long short short",
      error: { code: "ERR_BUTTON_CERTIFICATE_REFUSED", layer: "identity", alert: "certificate_revoked" },
    });
  });

  test("a certificate of another authority is refused", async () => {
    const subject = makeName([{ type: "CN", value: "stranger" }]);
    write("stranger", issue(authority("Root"), deviceCertificate({ subject, validity })));
    const { code, stderr } = await press("stranger");
    expect(code).toBe(1);
    expect(stderr).toMatch(/^ERR_BUTTON_CERTIFICATE_REFUSED: /);
  });
});
