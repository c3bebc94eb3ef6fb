/** The button against servers that are not ours: OpenSSL's, and sockets that speak nonsense. */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer as createTcpServer, type AddressInfo, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createServer } from "node:tls";
import { encodePem } from "@latchkey/asn1";
import { nodeProvider } from "@latchkey/crypto/node";
import { findProgram, startProgram } from "@latchkey/tooling-vitest/programs";
import {
  certificateAuthority,
  certificateToPem,
  deviceCertificate,
  issueCertificate,
  issueSelfSignedCertificate,
  makeName,
  serverCertificate,
  type CertificateIssuer,
  type CertificateTemplate,
} from "@latchkey/x509";
import { afterAll, describe, expect, test } from "vitest";
import { press } from "../src/press.ts";

const openssl = findProgram("openssl");
const folder = mkdtempSync(join(tmpdir(), "latchkey-button-"));
afterAll(() => rmSync(folder, { recursive: true }));

const nowSeconds = Math.floor(Date.now() / 1000);
const validity = { notBefore: nowSeconds - 60, notAfter: nowSeconds + 3600 };
const expired = { notBefore: nowSeconds - 7200, notAfter: nowSeconds - 3600 };

function authority(commonName: string): CertificateIssuer {
  const { privateKey } = nodeProvider.generateKeyPair({ name: "ec", curve: "P-256" });
  const template = certificateAuthority({ subject: makeName([{ type: "CN", value: commonName }]), validity });
  return { certificate: issueSelfSignedCertificate({ provider: nodeProvider, privateKey, template }), privateKey };
}

function issue(issuer: CertificateIssuer, template: CertificateTemplate): { certificate: string; privateKey: string } {
  const { privateKey, publicKey } = nodeProvider.generateKeyPair({ name: "ec", curve: "P-256" });
  const certificate = issueCertificate({ provider: nodeProvider, issuer, template, publicKey });
  const key = encodePem("PRIVATE KEY", nodeProvider.exportPkcs8(privateKey));
  return { certificate: certificateToPem(certificate), privateKey: key };
}

const root = authority("Root");
const otherRoot = authority("Root");
const roots = certificateToPem(root.certificate);
const device = issue(
  root,
  deviceCertificate({ subject: makeName([{ type: "serialNumber", value: "G030" }]), validity }),
);
const server = issue(root, serverCertificate({ validity, dnsNames: ["localhost"] }));

const button = (port: number): Parameters<typeof press>[0] => ({
  ...device,
  roots,
  host: "localhost",
  port,
  serialNumber: "G030",
  timeoutMs: 3000,
});

describe.skipIf(openssl.path === undefined)(`openssl s_server (${openssl.path ?? openssl.skipReason})`, () => {
  /** Presses at an s_server with a certificate; gives what the server read and how the press ended. */
  async function pressAt(
    identity: { certificate: string; privateKey: string },
    trusted: string,
  ): Promise<{ code: string; read: string }> {
    writeFileSync(join(folder, "server.pem"), identity.certificate);
    writeFileSync(join(folder, "server.key"), identity.privateKey);
    const port = await freePort();
    const words = [
      "-accept",
      String(port),
      "-cert",
      join(folder, "server.pem"),
      "-key",
      join(folder, "server.key"),
      "-Verify",
      "1",
      "-no_ticket",
    ];
    const running = startProgram(openssl.path ?? "", ["s_server", ...words]);
    await running.saw(/ACCEPT/);
    const outcome = await press({ ...button(port), roots: trusted, timeoutMs: 1500 }).then(
      () => "",
      (error: { code: string }) => error.code,
    );
    running.kill();
    return { code: outcome, read: (await running.finished).stdout };
  }

  test("under the given root is believed: CONNECT is sent", async () => {
    const { code, read } = await pressAt(server, roots);
    expect(read).toContain("MQTT");
    expect(code).toBe("ERR_BUTTON_TIMEOUT");
  });

  test.each([
    ["under another root of the same name", issue(otherRoot, serverCertificate({ validity, dnsNames: ["localhost"] }))],
    ["for another name", issue(root, serverCertificate({ validity, dnsNames: ["broker.example"] }))],
    [
      "with a name in the common name only",
      issue(root, {
        ...serverCertificate({ validity, dnsNames: ["x.example"] }),
        subject: makeName([{ type: "CN", value: "localhost" }]),
      }),
    ],
    ["that expired", issue(root, serverCertificate({ validity: expired, dnsNames: ["localhost"] }))],
    [
      "with a device's certificate",
      issue(
        root,
        deviceCertificate({
          subject: makeName([{ type: "CN", value: "localhost" }]),
          validity,
          alternativeNames: [{ type: "dNSName", value: "localhost" }],
        }),
      ),
    ],
  ])("%s is refused, and not a byte of MQTT is sent", async (_, identity) => {
    const { code, read } = await pressAt(identity, roots);
    expect(code).toBe("ERR_BUTTON_SERVER_NOT_TRUSTED");
    expect(read).not.toContain("MQTT");
  });
});

describe("a server that is believed and misbehaves", () => {
  test.each([
    ["answers nonsense", Buffer.from("HTTP/1.1 200 OK\r\n\r\n"), "ERR_BUTTON_PROTOCOL"],
    ["refuses", Buffer.from([0x20, 0x02, 0x00, 0x05]), "ERR_BUTTON_REFUSED"],
    ["says nothing", Buffer.alloc(0), "ERR_BUTTON_TIMEOUT"],
    ["accepts and never acknowledges", Buffer.from([0x20, 0x02, 0x00, 0x00]), "ERR_BUTTON_TIMEOUT"],
    [
      "acknowledges something else",
      Buffer.from([0x20, 0x02, 0x00, 0x00, 0x40, 0x02, 0x00, 0x09]),
      "ERR_BUTTON_TIMEOUT",
    ],
  ])("(%s)", async (_, answer, code) => {
    const listening = createServer({ cert: server.certificate, key: server.privateKey }, (socket) => {
      socket.on("error", () => {});
      socket.once("data", () => socket.write(answer));
    });
    const port = await listen(listening);
    await expect(press({ ...button(port), timeoutMs: 500 })).rejects.toMatchObject({ code });
    listening.close();
  });

  test("(closes) ends at once", async () => {
    const listening = createServer({ cert: server.certificate, key: server.privateKey }, (socket) => {
      socket.on("error", () => {});
      socket.once("data", () => socket.end());
    });
    const port = await listen(listening);
    await expect(press(button(port))).rejects.toMatchObject({ code: "ERR_BUTTON_CLOSED" });
    listening.close();
  });
});

test("a server without TLS is refused", async () => {
  const listening = createTcpServer((socket) => {
    socket.on("error", () => {});
    socket.end("hello");
  });
  await expect(press(button(await listen(listening)))).rejects.toMatchObject({ code: "ERR_BUTTON_TLS" });
  listening.close();
});

test("a server that never shakes hands is given up", async () => {
  const listening = createTcpServer(() => {});
  await expect(press({ ...button(await listen(listening)), timeoutMs: 300 })).rejects.toMatchObject({
    code: "ERR_BUTTON_TIMEOUT",
  });
  listening.close();
});

test("nobody there is unreachable", async () => {
  await expect(press(button(await freePort()))).rejects.toMatchObject({ code: "ERR_BUTTON_UNREACHABLE" });
});

async function listen(listening: Server): Promise<number> {
  await new Promise<void>((resolve) => listening.listen(0, "localhost", resolve));
  return (listening.address() as AddressInfo).port;
}

async function freePort(): Promise<number> {
  const listening = createTcpServer();
  const port = await listen(listening);
  await new Promise((resolve) => listening.close(resolve));
  return port;
}
