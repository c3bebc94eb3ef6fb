/** The shim against node:tls in the place of BoringSSL's runner: each role, and each of its exit codes. */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, createSecureContext, TLSSocket } from "node:tls";
import { fileURLToPath } from "node:url";
import { nodeProvider as provider } from "@latchkey/crypto/node";
import * as x509 from "@latchkey/x509";
import { afterAll, describe, expect, it } from "vitest";

const folder = mkdtempSync(join(tmpdir(), "bogo-"));
afterAll(() => rmSync(folder, { recursive: true }));

const validity = x509.validityFrom(Math.floor(Date.now() / 1000) - 60, 1);
const { privateKey } = provider.generateKeyPair({ name: "ec", curve: "P-256" });
const subject = x509.makeName([{ type: "CN", value: "runner.example" }]);
const template = { ...x509.serverCertificate({ dnsNames: ["runner.example"], validity }), subject };
const certificate = x509.certificateToPem(x509.issueSelfSignedCertificate({ provider, template, privateKey }));
const key = x509.privateKeyToPem(privateKey, { provider });
const [certificateFile, keyFile] = [join(folder, "certificate.pem"), join(folder, "key.pem")];
writeFileSync(certificateFile, certificate);
writeFileSync(keyFile, key);

interface End {
  readonly code: number | null;
  readonly errors: string;
}

/** Starts the shim, and plays the runner on each of its connections. */
async function shim(flags: readonly string[], runner: (socket: Socket, index: number) => Promise<void>): Promise<End> {
  const listener = createServer({ allowHalfOpen: true });
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  const { port } = listener.address() as AddressInfo;
  let connections = 0;
  const played: Promise<void>[] = [];
  listener.on("connection", (socket) => played.push(runner(socket, connections++)));
  const program = fileURLToPath(new URL("../src/shim.ts", import.meta.url));
  const options = ["--conditions=@latchkey/source", "--no-warnings"];
  const child = spawn(process.execPath, [...options, program, "-port", `${port}`, ...flags]);
  let errors = "";
  child.stderr.on("data", (text) => (errors += text));
  const [code] = (await once(child, "close")) as [number | null];
  listener.close();
  await Promise.all(played);
  return { code, errors };
}

/** Versions as the runner gives them. */
const [tls12, tls13] = ["771", "772"];
const turned = Buffer.from("one pizza").map((octet) => octet ^ 0xff);

/** The runner as a server that sends some data, and wants it back turned. */
async function serve(socket: Socket): Promise<void> {
  const stream = new TLSSocket(socket, {
    isServer: true,
    secureContext: createSecureContext({ cert: certificate, key }),
  });
  const ended = new Promise((resolve) => socket.once("close", resolve));
  stream.on("error", () => socket.destroy());
  stream.on("end", () => socket.destroySoon());
  stream.write("one pizza");
  stream.once("data", (data) => {
    expect(data).toEqual(turned);
    stream.end();
  });
  await ended;
}

describe("as a client", () => {
  it("answers on each connection, and holds what was agreed on to the flags", async () => {
    const flags = ["-check-close-notify", "-expect-version", tls13, "-resume-count", "1", "-expect-session-miss"];
    expect(await shim(flags, serve)).toEqual({ code: 0, errors: "" });
  });
  it("asks for every answer later, and reads octet by octet", async () => {
    expect(await shim(["-async", "-max-version", tls12], serve)).toEqual({ code: 0, errors: "" });
  });
  it("ends with 1 and the engine's error where the connection fails", async () => {
    const { code, errors } = await shim(["-verify-peer", "-verify-fail"], serve);
    expect(code).toBe(1);
    expect(errors).toMatch(/^ERR_TLS_PEER_REFUSED: sent handshake_failure: /);
  });
  it("ends with 90 where it sees something else than expected", async () => {
    const { code, errors } = await shim(["-expect-version", tls12], serve);
    expect(code).toBe(90);
    expect(errors).toContain("-expect-version: 772 instead of 771");
  });
});

describe("as a server", () => {
  const flags = ["-server", "-cert-file", certificateFile, "-key-file", keyFile];
  it.each([[[]], [["-async"]]])("answers, with the flags %j", async (more) => {
    const end = await shim([...flags, ...more, "-select-alpn", "foo"], async (socket) => {
      const stream = connect({ socket, ca: [certificate], servername: "runner.example", ALPNProtocols: ["foo"] });
      stream.write("one pizza");
      const [data] = (await once(stream, "data")) as [Buffer];
      expect([stream.authorized, stream.alpnProtocol, data]).toEqual([true, "foo", turned]);
      stream.end();
    });
    expect(end).toEqual({ code: 0, errors: "" });
  });
});

it("ends with 89 for a flag that it does not know", async () => {
  const { code, errors } = await shim(["-on-resume-enable-grease"], async () => {});
  expect(code).toBe(89);
  expect(errors).toContain("the flag -enable-grease");
});

it("disables no test without a reason", () => {
  const config = JSON.parse(readFileSync(new URL("../bogo-config.json", import.meta.url), "utf8"));
  for (const [pattern, reason] of Object.entries(config.DisabledTests))
    expect(reason, pattern).toMatch(/^[A-Za-z_].{4,}/);
});
