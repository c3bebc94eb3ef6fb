/** Other implementations of TLS that play one side: openssl, GnuTLS, node:tls. */

import { createServer, connect, type AddressInfo, type Server, type Socket } from "node:net";
import * as nodeTls from "node:tls";
import { readFileSync } from "node:fs";
import { once } from "node:events";
import { findProgram, type Program, startProgram } from "@latchkey/tooling-vitest/programs";
import { nodeProvider } from "@latchkey/crypto/node";
import { acceptTls, connectTls, type TlsStream } from "../src/node.ts";
import {
  chainPeerVerifier,
  type ClientConfig,
  type NamedGroup,
  type ResumableSession,
  type ServerConfig,
  type SignatureScheme,
} from "../src/index.ts";
import { type Combination, keyOf, type Parties } from "./combinations.ts";
import { root } from "./identities.ts";

const verifier = chainPeerVerifier({ provider: nodeProvider, trustAnchors: [root.certificate] });
export const openssl: Program = findProgram("openssl");
const gnutlsClient: Program = findProgram("gnutls-cli");
export const gnutlsServer: Program = findProgram("gnutls-serv");

/** How one side is set up for a combination. */
export function ourServerConfig(combination: Combination, parties: Parties): ServerConfig {
  return {
    provider: nodeProvider,
    clock: Date.now,
    versions: [combination.suite.version],
    cipherSuites: [combination.suite.name],
    groups: [combination.group],
    schemes: [combination.scheme],
    credentials: [parties.servers[keyOf(combination.scheme)].identity.credential],
    clientAuthentication: combination.clientAuthentication,
    verifier,
  };
}

export function ourClientConfig(combination: Combination, parties: Parties): ClientConfig {
  return {
    provider: nodeProvider,
    clock: Date.now,
    versions: [combination.suite.version],
    cipherSuites: [combination.suite.name],
    groups: groupsOf(combination),
    schemes: [combination.scheme],
    credentials: [parties.devices[keyOf(combination.scheme)].identity.credential],
    serverName: "broker.example",
    verifier,
  };
}

const ownGroups: { readonly [Scheme in SignatureScheme]?: NamedGroup } = {
  ecdsa_secp256r1_sha256: "secp256r1",
  ecdsa_secp384r1_sha384: "secp384r1",
};

/** The wanted group first. In TLS 1.2 the curve of the server's key must be offered, too (RFC 8422 §5.1). */
function groupsOf({ suite, group, scheme }: Combination): NamedGroup[] {
  const own = suite.version === "TLSv1.2" ? ownGroups[scheme] : undefined;
  return own === undefined || own === group ? [group] : [group, own];
}

/** Our server on a free port: answers each connection's first data by "pizza for " and it, and ends. */
export async function withOurServer<Result>(
  config: ServerConfig,
  act: (port: number, accepted: readonly TlsStream[]) => Promise<Result>,
  onAccepted: (stream: TlsStream) => void = () => undefined,
): Promise<Result> {
  const accepted: TlsStream[] = [];
  const sockets = new Set<Socket>();
  const listener = createServer((socket) => {
    sockets.add(socket);
    const stream = acceptTls(socket, config);
    accepted.push(stream);
    onAccepted(stream);
    stream.on("error", () => undefined);
    stream.once("data", (chunk: Buffer) => stream.end(`pizza for ${chunk.toString()}`));
  });
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  const { port } = listener.address() as AddressInfo;
  try {
    return await act(port, accepted);
  } finally {
    for (const socket of sockets) socket.destroy();
    listener.close();
  }
}

/** Our client: sends a line, and resolves with what came back to its end, or to `until`. */
export async function ourClient(
  port: number,
  config: ClientConfig,
  until: RegExp,
  onSession: (session: ResumableSession) => void = () => undefined,
  first: string = "button\n",
): Promise<{ text: string; stream: TlsStream }> {
  const socket = connect({ port, host: "127.0.0.1" });
  await once(socket, "connect");
  const stream = connectTls(socket, config);
  stream.on("session", onSession);
  try {
    const text = await new Promise<string>((resolve, reject) => {
      let received = "";
      stream.on("data", (chunk: Buffer) => {
        received += chunk.toString("latin1");
        if (until.test(received)) resolve(received);
      });
      stream.on("error", reject);
      stream.on("close", () => reject(new Error(`closed after ${received}`)));
      stream.write(first);
    });
    return { text, stream };
  } finally {
    stream.on("error", () => undefined);
    stream.end();
    socket.destroy();
  }
}

const opensslGroups = { x25519: "X25519", secp256r1: "P-256", secp384r1: "P-384" } as const;

function opensslCurves(one: Combination): string {
  return groupsOf(one)
    .map((group) => opensslGroups[group])
    .join(":");
}

function opensslCipher({ suite }: Combination): string[] {
  if (suite.version === "TLSv1.3") return ["-tls1_3", "-ciphersuites", suite.name];
  const name = suite.name.slice(4).replace("_WITH_", "_").replace("AES_", "AES").replace("POLY1305_SHA256", "POLY1305");
  return ["-tls1_2", "-cipher", name.replaceAll("_", "-")];
}

export async function opensslAgainstUs(
  port: number,
  one: Combination,
  parties: Parties,
  more: string[] = [],
): Promise<string> {
  const device = parties.devices[keyOf(one.scheme)];
  const words = [
    ["s_client", "-connect", `127.0.0.1:${port}`, "-CAfile", parties.rootFile, "-verify_return_error"],
    ["-servername", "broker.example", "-verify_hostname", "broker.example", "-ign_eof"],
    ["-cert", device.certificateFile, "-key", device.keyFile, "-curves", opensslCurves(one)],
    opensslCipher(one),
    more,
  ].flat();
  const { stdout, stderr } = await startProgram(openssl.path!, words, { input: "button\n" }).finished;
  return `${stdout}${stderr}`;
}

const verifyWords = {
  none: [],
  request: ["-verify", "1", "-verify_return_error"],
  require: ["-Verify", "1", "-verify_return_error"],
};

/** `openssl s_server` on a free port, which sends lines back reversed. */
export async function withOpensslServer<Result>(
  one: Combination,
  parties: Parties,
  act: (port: number) => Promise<Result>,
): Promise<Result> {
  const server = parties.servers[keyOf(one.scheme)];
  const words = [
    ["s_server", "-accept", "127.0.0.1:0", "-CAfile", parties.rootFile, "-rev", "-curves", opensslCurves(one)],
    ["-cert", server.certificateFile, "-key", server.keyFile],
    opensslCipher(one),
    verifyWords[one.clientAuthentication],
  ].flat();
  const started = startProgram(openssl.path!, words);
  try {
    const line = await started.saw(/ACCEPT .*:\d+/);
    return await act(Number(/:(\d+)$/.exec(line)![1]));
  } finally {
    started.kill();
    await started.finished;
  }
}

const gnutlsGroups = { x25519: "X25519", secp256r1: "SECP256R1", secp384r1: "SECP384R1" } as const;
const gnutlsCiphers = {
  "AES-128-GCM": "AES-128-GCM",
  "AES-256-GCM": "AES-256-GCM",
  "ChaCha20-Poly1305": "CHACHA20-POLY1305",
};

/** The groups of the combination, or others, the first one with a key share. */
export function gnutlsPriority(one: Combination, wanted: readonly NamedGroup[] = groupsOf(one)): string {
  const { suite } = one;
  const groups = wanted.map((group) => `:+GROUP-${gnutlsGroups[group]}`).join("");
  const version = suite.version === "TLSv1.3" ? "TLS1.3" : "TLS1.2";
  return `NORMAL:-VERS-ALL:+VERS-${version}:-CIPHER-ALL:+${gnutlsCiphers[suite.aead]}:-GROUP-ALL${groups}`;
}

export async function gnutlsAgainstUs(
  port: number,
  one: Combination,
  parties: Parties,
  more: string[] = [],
  priority: string = gnutlsPriority(one),
): Promise<string> {
  const device = parties.devices[keyOf(one.scheme)];
  const words = [
    ["-p", `${port}`, "127.0.0.1", "--x509cafile", parties.rootFile, "--priority", priority],
    ["--x509certfile", device.certificateFile, "--x509keyfile", device.keyFile],
    ["--sni-hostname", "broker.example", "--verify-hostname", "broker.example"],
    more,
  ].flat();
  const { stdout, stderr } = await startProgram(gnutlsClient.path!, words, { input: "button\n", keepsInputOpen: true })
    .finished;
  return `${stdout}${stderr}`;
}

/** A port of the loopback that nobody listens on: for programs that take no 0. */
export async function freePort(): Promise<number> {
  const listener = createServer().listen(0, "127.0.0.1");
  await once(listener, "listening");
  const { port } = listener.address() as AddressInfo;
  listener.close();
  await once(listener, "close");
  return port;
}

/** `gnutls-serv` on a free port, which sends back what it gets. */
export async function withGnutlsServer<Result>(
  one: Combination,
  parties: Parties,
  act: (port: number) => Promise<Result>,
): Promise<Result> {
  const server = parties.servers[keyOf(one.scheme)];
  const port = await freePort();
  const words = [
    ["--echo", "-p", `${port}`, "--x509cafile", parties.rootFile, "--priority", gnutlsPriority(one)],
    ["--x509certfile", server.certificateFile, "--x509keyfile", server.keyFile],
    one.clientAuthentication === "require" ? ["--require-client-cert"] : [],
    one.clientAuthentication === "none" ? ["--disable-client-cert"] : [],
  ].flat();
  const started = startProgram(gnutlsServer.path!, words);
  try {
    await started.saw(/listening on IPv4[\s\S]*done/);
    return await act(port);
  } finally {
    started.kill();
    await started.finished;
  }
}

function nodeOptions(one: Combination): nodeTls.SecureContextOptions {
  const { version } = one.suite;
  const cipher = version === "TLSv1.3" ? one.suite.name : opensslCipher(one)[2]!;
  return { minVersion: version, maxVersion: version, ciphers: cipher, ecdhCurve: opensslCurves(one) };
}

export async function nodeAgainstUs(
  port: number,
  one: Combination,
  parties: Parties,
  more: nodeTls.ConnectionOptions = {},
  seen: (socket: nodeTls.TLSSocket) => void = () => undefined,
): Promise<string> {
  const device = parties.devices[keyOf(one.scheme)];
  const socket = nodeTls.connect({
    port,
    host: "127.0.0.1",
    servername: "broker.example",
    ca: readFileSync(parties.rootFile),
    cert: readFileSync(device.certificateFile),
    key: readFileSync(device.keyFile),
    ...nodeOptions(one),
    ...more,
  });
  seen(socket);
  socket.write("button");
  let text = "";
  for await (const chunk of socket) text += String(chunk);
  return text;
}

/** A server of node:tls on a free port, which answers the first data and ends. */
export async function withNodeServer<Result>(
  one: Combination,
  parties: Parties,
  act: (port: number) => Promise<Result>,
): Promise<Result> {
  const server = parties.servers[keyOf(one.scheme)];
  const listener = nodeTls.createServer(
    {
      ca: readFileSync(parties.rootFile),
      cert: readFileSync(server.certificateFile),
      key: readFileSync(server.keyFile),
      requestCert: one.clientAuthentication !== "none",
      rejectUnauthorized: one.clientAuthentication === "require",
      ...nodeOptions(one),
    },
    (socket) => {
      socket.on("error", () => undefined);
      socket.once("data", (chunk) => socket.end(`pizza for ${String(chunk)} of ${socket.getProtocol() ?? ""}`));
    },
  );
  return whileListening(listener, act);
}

/** What our client hears at the end of its line from each of the servers. */
export const answers = { node: /pizza for button/, openssl: /nottub/, gnutls: /button/ } as const;

/** Has a server listen on a free loopback port as long as something is done with it. */
export async function whileListening<Result>(
  listener: Server,
  act: (port: number) => Promise<Result>,
): Promise<Result> {
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  try {
    return await act((listener.address() as AddressInfo).port);
  } finally {
    listener.close();
  }
}
