/** The button against servers that are not ours: OpenSSL's, and sockets that speak nonsense. */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer as createHttpsServer } from "node:https";
import { createServer as createTcpServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createServer, type TLSSocket } from "node:tls";
import { findProgram, startProgram } from "@latchkey/tooling-vitest/programs";
import { certificateToPem, deviceCertificate, makeName, serverCertificate } from "@latchkey/x509";
import { afterAll, describe, expect, test } from "vitest";
import { press, type PressStep } from "../src/press.ts";
import { authority, expired, freePort, issue, listen, validity } from "./workshop.ts";

const openssl = findProgram("openssl");
const folder = mkdtempSync(join(tmpdir(), "latchkey-button-"));
afterAll(() => rmSync(folder, { recursive: true }));

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
  protocol: "mqtt",
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
    await expect(press(button(port))).rejects.toMatchObject({ code: "ERR_BUTTON_CERTIFICATE_REFUSED" });
    listening.close();
  });

  test("(closes after PUBLISH) has refused the topic", async () => {
    const listening = createServer({ cert: server.certificate, key: server.privateKey }, (socket) => {
      socket.on("error", () => {});
      socket.once("data", () => {
        socket.write(Buffer.from([0x20, 0x02, 0x00, 0x00]));
        socket.once("data", () => socket.end());
      });
    });
    const port = await listen(listening);
    await expect(press(button(port))).rejects.toMatchObject({ code: "ERR_BUTTON_CLOSED", layer: "permission" });
    listening.close();
  });
});

describe("by HTTPS", () => {
  /** What a server of node:https got. */
  interface Got {
    readonly method: string | undefined;
    readonly url: string | undefined;
    readonly body: string;
    readonly serialNumber: string | undefined;
    readonly serverName: string | false | undefined;
    readonly connections: number;
  }

  /** Presses at a server that demands certificates of the root, and answers as given. */
  async function pressAt(
    status: number,
    body: string,
    options: Partial<Parameters<typeof press>[0]> = {},
  ): Promise<{
    got: Got[];
    steps: PressStep[];
    failure: { code: string; layer: string; message: string } | undefined;
  }> {
    const got: Got[] = [];
    let connections = 0;
    const tls = { cert: server.certificate, key: server.privateKey, ca: roots, requestCert: true };
    const listening = createHttpsServer(tls, (request, response) => {
      let sent = "";
      request.on("data", (chunk: Buffer) => (sent += chunk.toString()));
      request.once("end", () => {
        const socket = request.socket as TLSSocket;
        const { method, url } = request;
        const { serialNumber } = socket.getPeerCertificate().subject as unknown as { serialNumber?: string };
        got.push({ method, url, body: sent, serialNumber, serverName: (socket as any).servername, connections });
        response.writeHead(status, { "content-type": "application/json" }).end(body);
      });
    });
    listening.on("secureConnection", () => connections++);
    const port = await listen(listening);
    const steps: PressStep[] = [];
    const pressed = press({ ...button(port), protocol: "https", onStep: (step) => steps.push(step), ...options });
    const failure = await pressed.then(
      () => undefined,
      (error: { code: string; layer: string; message: string }) => error,
    );
    listening.close();
    return { got, steps, failure };
  }

  test.each([
    ["node:tls", {}],
    ["@latchkey/tls", { onTrace: () => {} }],
  ])("a press is one POST of the exact JSON, over one connection with a client certificate (%s)", async (_, engine) => {
    const { got, steps, failure } = await pressAt(200, '{"message":"OK"}', { clickType: "LONG", ...engine });
    expect(failure).toBeUndefined();
    expect(got).toEqual([
      {
        method: "POST",
        url: "/topics/iotbutton/G030?qos=1",
        body: '{"serialNumber":"G030","batteryVoltage":"1567mV","clickType":"LONG"}',
        serialNumber: "G030",
        serverName: "localhost",
        connections: 1,
      },
    ]);
    expect(steps.map(({ step }) => step)).toEqual([
      "wake",
      "resolve",
      "tcp",
      "tls",
      "shown",
      "server",
      "request",
      "answer",
      "sleep",
    ]);
    const tls = {
      protocol: "TLSv1.3",
      cipherSuite: expect.stringMatching(/^TLS_/),
      group: "x25519",
      sentName: "localhost",
    };
    expect(steps).toContainEqual(expect.objectContaining(tls));
    const explanation = steps.find((step) => step.step === "server")?.explanation.join("\n");
    expect(explanation).toContain("CN=Root");
    expect(explanation).toContain("presents the name that was asked for (referenceName)");
  });

  test("what has a meaning in a URL is encoded in a topic, slashes are not", async () => {
    const { got } = await pressAt(200, "", { topicName: "a/b c?d=e#f" });
    expect(got[0]?.url).toBe("/topics/a/b%20c%3Fd%3De%23f?qos=1");
  });

  test.each([
    [
      403,
      '{"message":"Forbidden"}',
      "ERR_BUTTON_FORBIDDEN",
      "permission",
      "does not let this certificate publish to iotbutton/G030: Forbidden",
    ],
    [401, '{"message":"it is REVOKED"}', "ERR_BUTTON_CERTIFICATE_REFUSED", "identity", "it is REVOKED"],
    [413, "too much", "ERR_BUTTON_HTTP_STATUS", "answer", "HTTP 413"],
    [500, "", "ERR_BUTTON_HTTP_STATUS", "answer", "HTTP 500"],
  ])("%i tells its own story", async (status, body, code, layer, message) => {
    const { failure } = await pressAt(status, body);
    expect(failure).toMatchObject({ code, layer, message: expect.stringContaining(message) });
  });

  test.each([
    ["node:tls", {}],
    ["@latchkey/tls", { onTrace: () => {} }],
  ])("a certificate that the server does not want is told by its alert (%s)", async (_, engine) => {
    const stranger = issue(otherRoot, deviceCertificate({ subject: makeName([{ type: "CN", value: "x" }]), validity }));
    const { got, failure } = await pressAt(200, "", { ...stranger, ...engine });
    expect(failure).toMatchObject({ code: "ERR_BUTTON_CERTIFICATE_REFUSED", layer: "identity" });
    expect(got).toEqual([]);
  });

  test("a server under another root gets no request", async () => {
    const { got, failure } = await pressAt(200, "", { roots: certificateToPem(otherRoot.certificate) });
    expect(failure).toMatchObject({ code: "ERR_BUTTON_SERVER_NOT_TRUSTED", layer: "server" });
    expect(got).toEqual([]);
  });

  test.each([
    ["speaks another protocol", Buffer.from("+OK hello\r\n"), "ERR_BUTTON_PROTOCOL"],
    ["says nothing", Buffer.alloc(0), "ERR_BUTTON_TIMEOUT"],
    ["is cut off", Buffer.from("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhal"), "ERR_BUTTON_TIMEOUT"],
    ["never ends", Buffer.from(`HTTP/1.1 200 OK\r\n\r\n${"x".repeat(70_000)}`), "ERR_BUTTON_PROTOCOL"],
  ])("a server that %s is given up", async (_, answer, code) => {
    const listening = createServer({ cert: server.certificate, key: server.privateKey }, (socket) => {
      socket.on("error", () => {});
      socket.once("data", () => socket.write(answer));
    });
    const port = await listen(listening);
    await expect(press({ ...button(port), protocol: "https", timeoutMs: 500 })).rejects.toMatchObject({ code });
    listening.close();
  });

  test("a server that closes without a word has refused the certificate", async () => {
    const listening = createServer({ cert: server.certificate, key: server.privateKey }, (socket) => {
      socket.on("error", () => {});
      socket.once("data", () => socket.end());
    });
    const port = await listen(listening);
    await expect(press({ ...button(port), protocol: "https" })).rejects.toMatchObject({
      code: "ERR_BUTTON_CERTIFICATE_REFUSED",
    });
    listening.close();
  });
});

test("a name that does not resolve is told from a port where nobody listens", async () => {
  const nowhere = { ...button(8443), host: "button.invalid" };
  await expect(press(nowhere)).rejects.toMatchObject({ code: "ERR_BUTTON_RESOLVE", layer: "resolve" });
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
  await expect(press(button(await freePort()))).rejects.toMatchObject({
    code: "ERR_BUTTON_UNREACHABLE",
    message: expect.stringMatching(
      /ECONNREFUSED.*: no program listens there\. Start the broker, or give its host and port$/,
    ),
  });
});
