/**
 * RFC 8448 §4 to §7, replayed by a server's engine: it gets the client's records as they are printed, and has to answer with
 * the server's records, octet by octet.
 *
 * Where the document's server chose freely (randoms, the order of extensions, record_size_limit, its certificate and
 * signature), its messages take the place of ours before they are hashed and protected. Keys, Finished, records, alerts and
 * what is read of the client are the engine's own. It cannot be a client of these traces: their servers answer to
 * record_size_limit, which our client never offers, so it has to refuse that.
 */

import { createNodeProvider } from "@latchkey/crypto/node";
import { parseCertificate } from "@latchkey/x509";
import { describe, expect, it } from "vitest";
import { suiteByNumber } from "../src/cipher-suite.ts";
import { serverWithHooks } from "../src/create.ts";
import { HandshakeInput, type HandshakeMessage } from "../src/handshake-input.ts";
import { handshakeByNumber, type HandshakeType } from "../src/handshake-type.ts";
import { acceptEveryChain, type Credential, type ServerConfig, type TlsEngine, type TlsEvent } from "../src/index.ts";
import { finishedData, KeySchedule, resumptionKey, trafficKeys } from "../src/key-schedule.ts";
import { defaultTlsLimits } from "../src/limits.ts";
import { readCertificate13 } from "../src/messages/certificate.ts";
import { readCertificateVerify, signedContent } from "../src/messages/certificate-verify.ts";
import { PeerSignatureVerified } from "../src/proofs.ts";
import { type RecordProtection, recordProtection } from "../src/record-protection.ts";
import { readSession, writeSession } from "../src/session.ts";
import { Transcript } from "../src/transcript.ts";
import { withPrivateKey } from "./key-shares.ts";
import * as traces from "./rfc8448-traces.ts";

// The RSA keys of the document have 1024 bits.
const provider = createNodeProvider({ minimumRsaModulusBits: 1024 });
const suite = suiteByNumber(0x1301)!;
const toHex = (octets: Uint8Array): string => Buffer.from(octets).toString("hex");
const joined = (...pieces: readonly Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(pieces));

function protectionOf(secret: Uint8Array): RecordProtection {
  return recordProtection(provider, suite, trafficKeys(provider, suite, secret));
}

/** The messages of handshake records, protected or in clear; other records are passed over. */
function messagesOf(records: Uint8Array, protection?: RecordProtection): HandshakeMessage[] {
  const input = new HandshakeInput(defaultTlsLimits);
  for (let at = 0; at < records.length;) {
    const end = at + 5 + ((records[at + 3]! << 8) | records[at + 4]!);
    const fragment = records.subarray(at + 5, end);
    if (records[at] === 22) input.append(fragment.slice());
    if (records[at] === 23) input.append(protection!.open(records.subarray(at, at + 5), fragment)!.content);
    at = end;
  }
  const messages = [];
  for (let message = input.next(); message !== undefined; message = input.next()) messages.push(message);
  expect(input.isEmpty).toBe(true);
  return messages;
}

function named(messages: readonly HandshakeMessage[], name: HandshakeType): HandshakeMessage | undefined {
  return messages.find(({ type }) => handshakeByNumber(type) === name);
}

interface Replay {
  readonly server: TlsEngine;
  /** What the server sent for each hello. */
  readonly answers: readonly Uint8Array[];
  readonly keys: ReadonlyMap<string, string>;
  /** The secrets inside of the tickets that it would have given. */
  readonly ticketSecrets: string[];
}

/** Gives a server the client's hellos. */
function replay(trace: traces.Trace, config: Partial<ServerConfig>, preSharedKey?: Uint8Array): Replay {
  const flight = messagesOf(trace.serverFlight, protectionOf(trace.secrets.serverHandshake));
  const hellos = trace.hellos.flatMap((one) => messagesOf(one.server));
  const keys = new Map<string, string>();
  const unused: Credential = { chain: [], schemes: ["rsa_pss_rsae_sha256"], sign: () => new Uint8Array(1) };
  const server = serverWithHooks(
    {
      provider: withPrivateKey(provider, trace.serverKey.group, toHex(trace.serverKey.privateKey)),
      clock: () => 1_000_000,
      versions: ["TLSv1.3"],
      groups: [trace.serverKey.group],
      credentials: [unused],
      clientAuthentication: "none",
      verifier: acceptEveryChain,
      tickets: "ask",
      keyLog: (line) => {
        const [label = "", , secret = ""] = line.split(" ");
        keys.set(label, secret);
      },
      ...config,
    },
    {
      message: (name, encoding) => {
        if (name === "finished") return [encoding];
        return [(name === "server_hello" ? hellos.shift() : named(flight, name))!.encoding];
      },
    },
  );
  const ticketSecrets: string[] = [];
  const answers = trace.hellos.map(({ client }) => {
    server.receive(client);
    answerTickets(server, ticketSecrets, preSharedKey);
    return server.takeOutput() ?? new Uint8Array(0);
  });
  return { server, answers, keys, ticketSecrets };
}

/** Takes the events: opens the one ticket there is, and gives none. */
function answerTickets(server: TlsEngine, secrets: string[], preSharedKey?: Uint8Array): TlsEvent[] {
  const others: TlsEvent[] = [];
  for (let event = server.next(); event !== undefined; event = server.next()) {
    if (event.type !== "need") {
      others.push(event);
    } else if (event.need === "openTicket") {
      event.answer(preSharedKey && sessionOf(preSharedKey));
    } else if (event.need === "sealTicket") {
      secrets.push(toHex(readSession(event.session).secret));
      event.answer(undefined);
    }
  }
  return others;
}

function sessionOf(secret: Uint8Array): Uint8Array {
  return writeSession({
    suite,
    secret,
    createdAt: 1_000_000,
    lifetimeSeconds: 30,
    serverName: "server",
    alpnProtocol: undefined,
    peerCertificates: [],
    ageAdd: 0,
    ticket: new Uint8Array(0),
  });
}

function expectSecrets(keys: ReadonlyMap<string, string>, { secrets }: traces.Trace): void {
  expect(keys.get("CLIENT_HANDSHAKE_TRAFFIC_SECRET")).toBe(toHex(secrets.clientHandshake));
  expect(keys.get("SERVER_HANDSHAKE_TRAFFIC_SECRET")).toBe(toHex(secrets.serverHandshake));
  expect(keys.get("CLIENT_TRAFFIC_SECRET_0")).toBe(toHex(secrets.clientApplication));
  expect(keys.get("SERVER_TRAFFIC_SECRET_0")).toBe(toHex(secrets.serverApplication));
  expect(keys.get("EXPORTER_SECRET")).toBe(toHex(secrets.exporter));
}

/** The transcript of the hellos, the first one by its hash where there was a retry (RFC 8446 §4.4.1). */
function transcriptOf(trace: traces.Trace): Transcript {
  const transcript = new Transcript(provider);
  for (const [index, { client, server }] of trace.hellos.entries()) {
    transcript.add(messagesOf(client)[0]!.encoding);
    if (index < trace.hellos.length - 1) transcript.replaceByHash(suite.hash);
    transcript.add(messagesOf(server)[0]!.encoding);
  }
  transcript.begin(suite.hash, false);
  return transcript;
}

describe.each([
  ["§5, HelloRetryRequest", traces.helloRetryRequest, {}],
  ["§6, client authentication", traces.clientAuthentication, { clientAuthentication: "require" }],
  ["§7, compatibility mode", traces.compatibilityMode, {}],
] as const)("RFC 8448 %s", (_name, trace, config) => {
  it("every record of the server, every secret, and both ends", () => {
    const { server, answers, keys, ticketSecrets } = replay(trace, config);
    const expected = trace.hellos.map((one) => one.server);
    expected[expected.length - 1] = joined(expected.at(-1)!, trace.serverFlight);
    expect(answers.map(toHex)).toEqual(expected.map(toHex));
    expectSecrets(keys, trace);

    server.receive(trace.clientFlight);
    expect(answerTickets(server, ticketSecrets).map(({ type }) => type)).toEqual(["handshakeDone"]);
    expect(server.info).toMatchObject({ serverName: "server", wasRetried: trace.hellos.length > 1 });
    const fromResumption = resumptionKey(provider, suite.hash, trace.secrets.resumption!, Uint8Array.of(0));
    expect(ticketSecrets).toEqual([toHex(fromResumption)]);
    expect(server.takeOutput()).toBeUndefined();

    server.receive(trace.closeNotify.client);
    expect(server.next()?.type).toBe("peerClosed");
    server.close();
    expect(toHex(server.takeOutput()!)).toBe(toHex(trace.closeNotify.server));
  });

  it("the server's signature and Finished as a client checks them", () => {
    const transcript = transcriptOf(trace);
    const flight = messagesOf(trace.serverFlight, protectionOf(trace.secrets.serverHandshake));
    for (const { type, body, encoding } of flight) {
      const name = handshakeByNumber(type);
      if (name === "certificate_verify") {
        const [der] = readCertificate13(named(flight, "certificate")!.body, defaultTlsLimits).chain;
        const key = provider.importSpki(parseCertificate(der!).subjectPublicKeyInfo.encoding);
        const content = signedContent("server", transcript.hash());
        const signed = readCertificateVerify(body);
        const offered = ["rsa_pss_rsae_sha256", "ecdsa_secp256r1_sha256"] as const;
        const proof = PeerSignatureVerified.check({ provider, version: "TLSv1.3", offered, key, content, signed });
        expect(proof.scheme).toBe(key.algorithm.name === "ec" ? "ecdsa_secp256r1_sha256" : "rsa_pss_rsae_sha256");
      }
      if (name === "finished") {
        const { serverHandshake } = trace.secrets;
        expect(toHex(body)).toBe(toHex(finishedData(provider, suite.hash, serverHandshake, transcript.hash())));
      }
      transcript.add(encoding);
    }
  });

  it.each([1, 17, 40])("a client's flight with another octet, the %s. from its end, is refused", (fromEnd) => {
    const { server } = replay(trace, config);
    const changed = trace.clientFlight.slice();
    changed[changed.length - fromEnd]! ^= 1;
    server.receive(changed);
    expect(server.error?.alertSent).toBe("bad_record_mac");
  });
});

describe("RFC 8448 §4, resumed 0-RTT", () => {
  const trace = traces.resumedZeroRtt;

  it("the pre-shared key of §3's ticket, whose nonce is 0000", () => {
    const key = resumptionKey(provider, suite.hash, trace.resumptionOfFirst, new Uint8Array(2));
    expect(toHex(key)).toBe(toHex(trace.preSharedKey));
  });

  it("the binder holds, and every record of the server's flight and every secret up to it", () => {
    const { answers, keys } = replay(trace, {}, trace.preSharedKey);
    expect(answers.map(toHex)).toEqual([toHex(joined(trace.hellos[0]!.server, trace.serverFlight))]);
    expectSecrets(keys, trace);
  });

  it("another key has another binder", () => {
    const other = trace.preSharedKey.slice();
    other[0]! ^= 1;
    expect(replay(trace, {}, other).server.error?.code).toBe("ERR_TLS_BINDER");
  });

  it("early data is skipped, never read: so a client that was told to send it does not get through", () => {
    // This server's own EncryptedExtensions never accept early data, which only the document's do.
    const { server } = replay(trace, {}, trace.preSharedKey);
    server.receive(joined(trace.earlyData, trace.endOfEarlyData));
    expect([server.phase, server.next()]).toEqual(["handshake", undefined]);
    server.receive(trace.clientFlight);
    // Its Finished is over EndOfEarlyData, too.
    expect(server.error).toMatchObject({ code: "ERR_TLS_FINISHED", alertSent: "decrypt_error" });
  });

  it("the client's Finished, and the records behind it, by the key schedule alone", () => {
    const schedule = new KeySchedule(provider, suite.hash, trace.preSharedKey);
    expect(toHex(schedule.deriveBinderKey())).toBe("69fe131a3bbad5d63c64eebcc30e395b9d8107726a13d074e389dbc8a4e47256");
    const transcript = transcriptOf(trace);
    for (const message of messagesOf(trace.serverFlight, protectionOf(trace.secrets.serverHandshake))) {
      transcript.add(message.encoding);
    }
    // EndOfEarlyData is empty; it is protected by keys of the early traffic secret, which nothing here derives.
    transcript.add(Uint8Array.of(5, 0, 0, 0));
    const [finished] = messagesOf(trace.clientFlight, protectionOf(trace.secrets.clientHandshake));
    const expected = finishedData(provider, suite.hash, trace.secrets.clientHandshake, transcript.hash());
    expect(toHex(finished!.body)).toBe(toHex(expected));
    const data = Uint8Array.from({ length: 50 }, (_, index) => index);
    for (const [secret, side] of [
      [trace.secrets.clientApplication, "client"],
      [trace.secrets.serverApplication, "server"],
    ] as const) {
      const protection = protectionOf(secret);
      const sealedData = new Uint8Array(72);
      protection.seal(23, data, sealedData, 0, 0);
      expect(toHex(sealedData)).toBe(toHex(trace.applicationData[side]));
      const closed = new Uint8Array(24);
      protection.seal(21, Uint8Array.of(1, 0), closed, 0, 0);
      expect(toHex(closed)).toBe(toHex(trace.closeNotify[side]));
    }
  });
});
