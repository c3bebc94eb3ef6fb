import { once } from "node:events";
import { createServer as createHttpServer, type IncomingMessage, type RequestListener } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import type { AddressInfo, Server } from "node:net";
import type { TLSSocket } from "node:tls";
import { nodeProvider } from "@latchkey/crypto/node";
import { Sha256 } from "@latchkey/request-signing";
import { certificationRequestFromPem, verifyCertificationRequest } from "@latchkey/x509";
import { SignatureV4 } from "@smithy/signature-v4";
import { afterAll, afterEach, expect, test, vi } from "vitest";
import { openAuthorities } from "../src/identities.ts";
import { bench, endBenches, expectBalance, measure, newFile, readFile, startBench } from "./run-bench.ts";

afterAll(endBenches);

vi.setConfig({ testTimeout: 130_000 });
const authorities = openAuthorities("p256");
const servers: Server[] = [];
afterEach(() => {
  vi.unstubAllEnvs();
  for (const server of servers.splice(0)) server.close();
});

async function listen(server: Server): Promise<number> {
  servers.push(server);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

/** An HTTPS server that takes only the bench's devices. */
const startHttps = (listener: RequestListener): Promise<number> =>
  listen(
    createHttpsServer(
      {
        cert: authorities.server.certificate,
        key: authorities.server.privateKey,
        ca: authorities.deviceAuthority.certificate,
        ...{ requestCert: true, rejectUnauthorized: true },
      },
      listener,
    ),
  );

interface Press {
  readonly url: string;
  readonly host: string | undefined;
  readonly commonName: string | string[];
  readonly serverName: string | false | null;
  readonly body: string;
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let body = "";
  for await (const chunk of request.setEncoding("utf8")) body += chunk;
  return body;
}

/** A server that notes each press and answers 200, or 403 to the device of that name. */
async function startPressServer(presses: Press[], refused?: string): Promise<number> {
  return startHttps((request, response) => {
    const socket = request.socket as TLSSocket;
    void bodyOf(request).then((body) => {
      const commonName = socket.getPeerCertificate().subject.CN ?? "";
      const serverName = (socket as TLSSocket & { servername?: string | false }).servername ?? null;
      presses.push({ url: request.url ?? "", host: request.headers.host, commonName, serverName, body });
      response.writeHead(commonName === refused ? 403 : 200).end("{}");
    });
  });
}

const load = ["--scenario", "http-press", "--clients", "5", "--rate", "40", "--duration", "1", "--warm-up", "0"];

test("http-press sends each press over mutual TLS, with the name and port of the URL", async () => {
  const presses: Press[] = [];
  const port = await startPressServer(presses);
  const url = `https://localhost:${port}`;
  const result = await measure(...load, "--payload", "50", "--http-url", url);
  expect(result).toMatchObject({ scenario: "http-press/qos1/tls", target: url, sent: 40, received: 40, lost: 0 });
  expect(presses).toHaveLength(40);
  for (const { url: path, host, commonName, serverName, body } of presses) {
    expect(path).toBe(`/topics/bench/${String(commonName)}/press?qos=1`);
    expect(host).toBe(`localhost:${port}`);
    expect(serverName).toBe("localhost");
    expect(body).toHaveLength(50);
  }
  expect(new Set(presses.map(({ commonName }) => commonName)).size).toBe(5);
});

test("a press that is refused is lost, and its status is named", async () => {
  const port = await startPressServer([], "bench-000001");
  const result = await measure(...load, "--http-url", `https://127.0.0.1:${port}`);
  expect(result).toMatchObject({ sent: 40, received: 32, lost: 8, ledger: { failed: 8 }, errors: { "HTTP 403": 8 } });
});

test("a server whose certificate another authority signed, or for another name, is not pressed", async () => {
  const presses: Press[] = [];
  const port = await startPressServer(presses);
  const strange = await bench(...load, "--http-url", `https://127.0.0.2:${port}`);
  expect(strange).toMatchObject({ code: 1, stdout: "" });
  expect(strange.stderr).toMatch(/ERR_LOAD_TARGET: https:\/\/127\.0\.0\.2:\d+ cannot be reached: ECONNREFUSED/);
  const other = createHttpsServer({ cert: authorities.server.certificate, key: authorities.server.privateKey });
  servers.push(other);
  other.listen(0, "127.0.0.2");
  await once(other, "listening");
  const otherPort = (other.address() as AddressInfo).port;
  const wrongName = await bench(...load, "--http-url", `https://127.0.0.2:${otherPort}`);
  expect(wrongName).toMatchObject({ code: 1, stdout: "" });
  expect(wrongName.stderr).toContain("ERR_TLS_CERT_ALTNAME_INVALID");
  expect(presses).toEqual([]);
});

test.each([
  [["--http-url", "http://127.0.0.1:1"], "--http-url is http://127.0.0.1:1: it has the form https://HOST:PORT"],
  [["--url", "mqtts://127.0.0.1:1", "--http-url", "http://127.0.0.1:1"], "--http-url is http://127.0.0.1:1"],
  [["--url", "http://127.0.0.1:1"], "--url is http://127.0.0.1:1: it has the form mqtts://HOST:PORT"],
  [["--http-url", "https://user:word@127.0.0.1:1"], "--http-url is a URL with a user name or password"],
  [["--http-url", "https://127.0.0.1:1/topics"], "it has the form https://HOST:PORT"],
])("nothing is pressed in clear, or by a URL that says more than where: %j", async (words, message) => {
  const { code, stderr } = await bench(...load, ...words);
  expect(code).toBe(1);
  expect(stderr).toContain(message);
  expect(stderr).not.toContain("word@");
});

const accessKeyId = "AKIDEXAMPLE";
const secretAccessKey = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

const environment = {
  AWS_ACCESS_KEY_ID: accessKeyId,
  AWS_SECRET_ACCESS_KEY: secretAccessKey,
  AWS_REGION: "eu-west-1",
};

/** Whether the AWS SDK's own signer gives the signature that a request has. */
async function isSignedRight(request: IncomingMessage, body: string): Promise<boolean> {
  const url = new URL(request.url ?? "", "http://x");
  const time = String(request.headers["x-amz-date"]);
  const signer = new SignatureV4({
    credentials: { accessKeyId, secretAccessKey },
    ...{ region: "eu-west-1", service: "iot", sha256: Sha256, applyChecksum: false },
  });
  const [hostname = "", port = ""] = (request.headers.host ?? "").split(":");
  const signed = await signer.sign(
    {
      ...{ method: request.method ?? "", protocol: "http:", hostname, port: Number(port), path: url.pathname },
      ...{ query: Object.fromEntries(url.searchParams), headers: { host: request.headers.host ?? "" }, body },
    },
    { signingDate: new Date(time.replace(/(....)(..)(..)T(..)(..)(..)Z/, "$1-$2-$3T$4:$5:$6Z")) },
  );
  return signed.headers["authorization"] === request.headers.authorization;
}

/** A control plane that knows the calls and refuses what is not signed. `bodies` are those that came with calls. */
const controlPlane = (calls: string[], bodies: string[] = []): RequestListener => {
  const known = new Set<string>();
  return (request, response) => {
    void bodyOf(request).then(async (body) => {
      const isSigned = await isSignedRight(request, body);
      const { pathname, search } = new URL(request.url ?? "", "http://x");
      if (!isSigned) return response.writeHead(403).end("{}");
      calls.push(`${request.method} ${pathname.replace(/[0-9a-f]{64}/, "ID")}${search}`);
      if (body !== "") bodies.push(body);
      const identifier = /[0-9a-f]{64}/.exec(pathname)?.[0];
      if (identifier !== undefined) return response.writeHead(known.has(identifier) ? 200 : 404).end("{}");
      const certificateId = known.size.toString(16).padStart(64, "0");
      known.add(certificateId);
      return response.writeHead(200).end(JSON.stringify({ certificateId }));
    });
  };
};

test.each(["http", "https"] as const)("control-plane signs its calls over %s as the AWS SDK does", async (scheme) => {
  const calls: string[] = [];
  const secure = { cert: authorities.server.certificate, key: authorities.server.privateKey };
  const listener = controlPlane(calls);
  const port = await listen(scheme === "http" ? createHttpServer(listener) : createHttpsServer(secure, listener));
  const words = ["--scenario", "control-plane", "--count", "30", "--concurrency", "4"];
  for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
  const url = `${scheme}://localhost:${port}`;
  const result = await measure(...words, "--control-plane-url", url);
  expect(result).toMatchObject({ target: url, sent: 30, received: 30, lost: 0 });
  expect(result.notes.includes("everything is sent in clear: the URL has no TLS")).toBe(scheme === "http");
  // A tenth warms up.
  expect(calls).toHaveLength(33);
  expect(new Set(calls)).toEqual(
    new Set([
      "POST /keys-and-certificate?setAsActive=true",
      "GET /certificates/ID",
      "PUT /certificates/ID?newStatus=INACTIVE",
    ]),
  );
  vi.stubEnv("AWS_SECRET_ACCESS_KEY", "another");
  const refused = await measure(...words, "--control-plane-url", url);
  expect(refused).toMatchObject({ sent: 30, received: 0, lost: 30, errors: { "HTTP 403 for POST": 30 } });
});

test("one call alone is measured with what it needs made before", async () => {
  const calls: string[] = [];
  const bodies: string[] = [];
  for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
  const port = await listen(createHttpServer(controlPlane(calls, bodies)));
  const words = ["--scenario", "control-plane", "--count", "30", "--concurrency", "4"];
  const url = ["--control-plane-url", `http://127.0.0.1:${port}`];
  const made = await measure(...words, ...url, "--call", "CreateCertificateFromCsr");
  expect(made).toMatchObject({
    scenario: "control-plane/CreateCertificateFromCsr",
    sent: 30,
    received: 30,
    phases: [],
  });
  expect(calls).toEqual(Array.from({ length: 33 }, () => "POST /certificates?setAsActive=true"));
  const requests = bodies.map((body) => certificationRequestFromPem(JSON.parse(body).certificateSigningRequest));
  for (const request of requests) verifyCertificationRequest(request, nodeProvider);
  expect(new Set(bodies).size).toBe(30);
  calls.length = 0;
  const read = await measure(...words, ...url, "--call", "DescribeCertificate");
  expect(read).toMatchObject({ scenario: "control-plane/DescribeCertificate", sent: 30, received: 30, lost: 0 });
  // 30 to describe are made, each of 33 is asked for.
  expect(calls.filter((call) => call.startsWith("POST"))).toHaveLength(30);
  expect(calls.slice(30)).toEqual(Array.from({ length: 33 }, () => "GET /certificates/ID"));
});

test("an answer that breaks off, and one that is no JSON, are failures of a call and end nothing", async () => {
  let number = 0;
  const port = await listen(
    createHttpServer((_request, response) => {
      if (number++ % 2 === 0) response.writeHead(200).end("<html>");
      else response.writeHead(200, { "content-length": "100" }).write("{", () => response.destroy());
    }),
  );
  const words = ["--scenario", "control-plane", "--count", "20", "--concurrency", "2"];
  const result = await measure(...words, "--control-plane-url", `http://127.0.0.1:${port}`);
  expect(result).toMatchObject({ sent: 20, received: 0, lost: 20, errors: { "the answer is no JSON": 10 } });
});

test("Ctrl-C while a target holds back its answers ends with what was under way as unfinished", async () => {
  const { promise: asked, resolve } = Promise.withResolvers<void>();
  let number = 0;
  const port = await listen(
    createHttpServer((_request, response) => {
      // The first 5 are the warm-up.
      if (number++ < 10) response.writeHead(200).end(JSON.stringify({ certificateId: "0".repeat(64) }));
      else resolve();
    }),
  );
  const file = newFile();
  const words = ["--scenario", "control-plane", "--count", "50", "--concurrency", "2", "--json", file];
  const started = startBench(...words, "--control-plane-url", `http://127.0.0.1:${port}`);
  await asked;
  started.kill("SIGINT");
  expect(await started.finished).toMatchObject({ code: 130 });
  const [result] = readFile(file).results;
  if (result === undefined) throw new Error("no entry");
  expectBalance(result);
  expect(result.received).toBe(5);
  expect(result.ledger.unfinished).toBeGreaterThan(0);
});
