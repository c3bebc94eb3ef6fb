/** Two engines of our own: every version, suite, group, key, mode of client authentication, resumption, retry. */

import { describe, expect, it } from "vitest";
import { allCipherSuites } from "../src/cipher-suite.ts";
import {
  acceptEveryChain,
  type ClientConfig,
  type ResumableSession,
  type ServerConfig,
  TicketKeys,
  type TlsEvent,
} from "../src/index.ts";
import { nodeProvider } from "@latchkey/crypto/node";
import { editClientHello, setExtension } from "./hostile-peer.ts";
import { type Identity, newAuthority, newDevice, newServer, root, server } from "./identities.ts";
import { connect, dataOf, newPair, type Pair, pump, utf8 } from "./pair.ts";

function failures(pair: Pair): unknown[] {
  return [
    pair.client.error?.message,
    pair.server.error?.message,
    pair.client.error?.cause,
    pair.server.error?.cause,
  ].filter((one) => one !== undefined);
}

function talk(pair: Pair): void {
  expect(failures(pair)).toEqual([]);
  pair.client.send(utf8("one pizza"));
  pair.server.send(utf8("twenty minutes"));
  pump(pair);
  expect(dataOf(pair.serverEvents)).toBe("one pizza");
  expect(dataOf(pair.clientEvents)).toBe("twenty minutes");
  expect(Buffer.from(pair.client.exportKeyingMaterial(40, "EXPORTER-test", utf8("x"))).toString("hex")).toBe(
    Buffer.from(pair.server.exportKeyingMaterial(40, "EXPORTER-test", utf8("x"))).toString("hex"),
  );
}

function sessionsOf(events: readonly TlsEvent[]): ResumableSession[] {
  return events.flatMap((event) => (event.type === "session" ? [event.session] : []));
}

it("a server prefers a certificate of an authority that the client names (RFC 8446 §4.2.4)", () => {
  const [first, second] = [newServer(newAuthority("Another Root")), newServer(root)];
  const name = root.certificate.subject.encoding;
  const list = [0, name.length + 2, 0, name.length, ...name];
  const clientHooks = editClientHello((hello) => {
    setExtension(hello, "certificate_authorities", Uint8Array.from(list));
  });
  const pair = connect({ clientHooks, server: { credentials: [first.credential, second.credential] } });
  talk(pair);
  expect(hex(pair.client.info?.peerCertificates[0])).toBe(hex(second.certificate.encoding));
});

function hex(octets: Uint8Array | undefined): string | undefined {
  return octets && Buffer.from(octets).toString("hex");
}

const tickets = new TicketKeys({ provider: nodeProvider });

it.each(["TLSv1.3", "TLSv1.2"] as const)(
  "%s: output is in the arrays of `allocate`, whatever was in them",
  (version) => {
    const made = new Set<ArrayBufferLike>();
    const allocate = (octets: number): Uint8Array => {
      const array = new Uint8Array(octets + (made.size % 3)).fill(0xff);
      made.add(array.buffer);
      return array;
    };
    const pair = connect({ server: { allocate, paddingTo: 64, tickets }, client: { allocate, versions: [version] } });
    talk(pair);
    pair.server.send(new Uint8Array(40_000).fill(1));
    const output = pair.server.takeOutput();
    expect(output !== undefined && made.has(output.buffer)).toBe(true);
    pair.client.receive(output ?? new Uint8Array(0));
    pump(pair);
    expect(dataOf(pair.clientEvents).length).toBe("twenty minutes".length + 40_000);
  },
);

describe.each(["TLSv1.3", "TLSv1.2"] as const)("%s", (version) => {
  it.each(["abort", "close"] as const)("%s in a callback of any step ends the connection for good", (how) => {
    const steps = new Set<string>();
    connect({ server: { tickets, trace: ({ step }) => void steps.add(step) }, client: { versions: [version] } });
    expect(steps.size).toBeGreaterThan(8);
    for (const step of steps) {
      let server: Pair["server"] | undefined;
      const trace = (event: { readonly step: string }): void => {
        if (event.step === step && server?.phase === "handshake") server[how]();
      };
      const pair = newPair({ client: { versions: [version] }, server: { tickets, trace } });
      server = pair.server;
      pump(pair);
      if (pair.server.phase === "open") continue;
      expect(pair.server.phase).toBe(how === "abort" ? "failed" : "closed");
      expect(pair.serverEvents.map(({ type }) => type)).toEqual(how === "abort" ? ["failed"] : []);
      expect(() => pair.server.send(utf8("more"))).toThrow("Data is sent between");
    }
  });

  it("a question may be answered within a callback of the trace, at whatever step", () => {
    let pair: Pair | undefined;
    const asked = new Set<string>();
    const answering = (side: "client" | "server", { credential }: Identity): Partial<ClientConfig & ServerConfig> => {
      const unsigned = { chain: credential.chain, schemes: credential.schemes };
      const answer = (event: TlsEvent): void => {
        if (event.type !== "need") return void pair?.[`${side}Events`].push(event);
        asked.add(`${side} ${event.need}`);
        if (event.need === "credential") event.answer(unsigned);
        else if (event.need === "sign") event.answer(credential.sign?.(event.scheme, event.data));
        else if (event.need === "verifyPeer") event.answer({ ok: true });
        else if (event.need === "sealTicket") event.answer(tickets.seal(event.session));
        else event.answer(tickets.open(event.ticket));
      };
      const trace = (): void => {
        for (let event = pair?.[side].next(); event !== undefined; event = pair?.[side].next()) answer(event);
      };
      return { credentials: "ask", verifier: "ask", trace };
    };
    const client = { versions: [version], ...answering("client", newDevice(root)) };
    const server = { tickets: "ask", ...answering("server", newServer(root)) } as const;
    pair = newPair({ client, server });
    talk(pump(pair));
    const [session] = sessionsOf(pair.clientEvents);
    pair = newPair({ client: { ...client, session }, server });
    talk(pump(pair));
    expect(pair.server.info?.isResumption).toBe(true);
    const both = ["credential", "sign", "verifyPeer"].flatMap((need) => [`client ${need}`, `server ${need}`]);
    expect([...asked].sort()).toEqual([...both, "server openTicket", "server sealTicket"].sort());
  });

  it.each([{ ticketCount: 256 }, { ticketCount: 0.5 }, { ticketLifetimeSeconds: -1 }, { ticketLifetimeSeconds: NaN }])(
    "%o cannot work",
    (options) => {
      expect(() => newPair({ server: { tickets, ...options } })).toThrow("ticket");
    },
  );

  it("a server that forgets its client's certificates goes on, and its tickets still carry them", () => {
    const early = newPair({ client: { versions: [version] } });
    early.server.forgetPeerCertificates();
    expect(early.server.info).toBeUndefined();

    const first = connect({ client: { versions: [version] }, server: { tickets } });
    const before = first.server.info;
    expect(before?.peerCertificates.length).toBe(1);
    first.server.forgetPeerCertificates();
    expect(first.server.info).toEqual({ ...before, peerCertificates: [] });
    talk(first);

    const [session] = sessionsOf(first.clientEvents);
    const again = connect({ client: { versions: [version], session }, server: { tickets } });
    expect(again.server.info?.isResumption).toBe(true);
    expect(again.server.info?.peerCertificates).toEqual(before?.peerCertificates);
  });

  it("what a caller does to `info.peerCertificates` reaches no session, new or resumed", () => {
    const spoil = ({ client, server }: Pair): void => {
      for (const { info } of [client, server]) for (const der of info?.peerCertificates ?? []) der.fill(0);
    };
    const first = newPair({ client: { versions: [version] }, server: { tickets } });
    // With TLS 1.3 the ticket comes after that.
    while (first.client.phase === "handshake") {
      first.server.receive(first.client.takeOutput() ?? new Uint8Array(0));
      first.client.receive(first.server.takeOutput() ?? new Uint8Array(0));
    }
    spoil(first);
    pump(first);
    const [session] = sessionsOf(first.clientEvents);
    for (let count = 0; count < 2; count++) {
      const again = connect({ client: { versions: [version], session }, server: { tickets } });
      expect(again.client.info).toMatchObject({ isResumption: true, peerCertificates: [server.certificate.encoding] });
      const [next] = sessionsOf(again.clientEvents);
      spoil(again);
      const third = connect({ client: { versions: [version], session: next }, server: { tickets } });
      expect(third.client.info).toMatchObject({ isResumption: true, peerCertificates: [server.certificate.encoding] });
    }
  });

  it("a client prefers a certificate of an authority that the server names, and sends another where it has none", () => {
    const [first, second] = [newDevice(newAuthority("Another Root")), newDevice(root)];
    const sent = (authorities: readonly Uint8Array[]): string | undefined => {
      const pair = connect({
        client: { versions: [version], credentials: [first.credential, second.credential] },
        server: { authorities, verifier: acceptEveryChain },
      });
      talk(pair);
      return hex(pair.server.info?.peerCertificates[0]);
    };
    expect(sent([])).toBe(hex(first.certificate.encoding));
    expect(sent([utf8("no name"), root.certificate.subject.encoding])).toBe(hex(second.certificate.encoding));
    expect(sent([utf8("no name")])).toBe(hex(first.certificate.encoding));
  });

  it.each(["none", "request", "require"] as const)("client authentication %s", (clientAuthentication) => {
    const pair = connect({ client: { versions: [version] }, server: { clientAuthentication } });
    talk(pair);
    expect(pair.server.info?.version).toBe(version);
    expect(pair.server.info?.peerCertificates.length).toBe(clientAuthentication === "none" ? 0 : 1);
    expect(pair.client.info?.peerCertificates.length).toBe(1);
  });

  it("a client without a certificate, where one is requested or required", () => {
    const asked = connect({
      client: { versions: [version], credentials: [] },
      server: { clientAuthentication: "request" },
    });
    talk(asked);
    expect(asked.server.info?.peerCertificates).toEqual([]);
    const required = connect({ client: { versions: [version], credentials: [] } });
    expect(required.server.error?.code).toBe("ERR_TLS_CERTIFICATE_REQUIRED");
    expect(required.client.error?.alertReceived).toBe(
      version === "TLSv1.3" ? "certificate_required" : "handshake_failure",
    );
  });

  it("octet by octet", () => {
    talk(connect({ client: { versions: [version] }, chunk: 1 }));
  });

  const kinds = ["p256", "p384", "ed25519", "rsa"] as const;
  for (const suite of allCipherSuites.filter((one) => one.version === version)) {
    for (const kind of kinds) {
      if (suite.authentication !== undefined && (suite.authentication === "rsa") !== (kind === "rsa")) continue;
      for (const group of ["x25519", "secp256r1", "secp384r1"] as const) {
        it(`${suite.name}, ${group}, ${kind}`, () => {
          const pair = connect({
            client: {
              versions: [version],
              cipherSuites: [suite.name],
              // In TLS 1.2 a client offers the curve of the server's key, too (RFC 8422 §5.1).
              ...(version === "TLSv1.3" ? { groups: [group] } : {}),
              credentials: [newDevice(root, kind === "rsa" ? "p256" : kind).credential],
            },
            server: { groups: [group], credentials: [servers[kind].credential] },
          });
          talk(pair);
          expect(pair.client.info).toMatchObject({ cipherSuite: suite.name, group });
        });
      }
    }
  }

  it("resumes by a ticket, and the client is known", () => {
    const tickets = new TicketKeys({ provider: nodeProvider });
    const first = connect({ client: { versions: [version] }, server: { tickets } });
    talk(first);
    const [session] = sessionsOf(first.clientEvents);
    expect(session).toBeDefined();
    const again = connect({ client: { versions: [version], session }, server: { tickets } });
    talk(again);
    expect(again.client.info?.isResumption).toBe(true);
    expect(again.server.info?.isResumption).toBe(true);
    expect(again.server.info?.peerCertificates).toEqual(first.server.info?.peerCertificates);
    expect(sessionsOf(again.clientEvents)).toHaveLength(1);
    tickets.rotate();
    const rotated = connect({ client: { versions: [version], session }, server: { tickets } });
    expect(rotated.server.info?.isResumption).toBe(true);
    for (let index = 0; index < 3; index++) tickets.rotate();
    const late = connect({ client: { versions: [version], session }, server: { tickets } });
    talk(late);
    expect(late.server.info?.isResumption).toBe(false);
  });

  it("closes", () => {
    const pair = connect({ client: { versions: [version] } });
    pair.client.close();
    pump(pair);
    expect(pair.serverEvents.at(-1)).toEqual({ type: "peerClosed" });
    expect(pair.server.phase).toBe(version === "TLSv1.3" ? "peerClosed" : "closed");
    if (version === "TLSv1.3") {
      pair.server.send(utf8("still here"));
      pair.server.close();
      pump(pair);
      expect(dataOf(pair.clientEvents)).toBe("still here");
    }
    expect(pair.client.phase).toBe("closed");
    expect(pair.client.error).toBeUndefined();
  });
});

const servers = {
  p256: newServer(root, "p256"),
  p384: newServer(root, "p384"),
  ed25519: newServer(root, "ed25519"),
  rsa: newServer(root, "rsa"),
};

it("HelloRetryRequest, also with a ticket", () => {
  const tickets = new TicketKeys({ provider: nodeProvider });
  const options = {
    client: { groups: ["x25519", "secp256r1"] as const },
    server: { groups: ["secp256r1"] as const, tickets },
  };
  const first = connect(options);
  talk(first);
  expect(first.client.info).toMatchObject({ wasRetried: true, group: "secp256r1" });
  const [session] = sessionsOf(first.clientEvents);
  const again = connect({ ...options, client: { ...options.client, session } });
  talk(again);
  expect(again.server.info).toMatchObject({ wasRetried: true, isResumption: true });
});

it("key updates, large data, padding", () => {
  const pair = connect({ client: { paddingTo: 512 }, server: { limits: { recordsPerKey: 10 } } });
  const big = new Uint8Array(300_000).fill(65);
  for (const side of [pair.client, pair.server]) {
    let sent = 0;
    while (sent < big.length) {
      sent += side.send(big.subarray(sent));
      pump(pair);
    }
  }
  expect(dataOf(pair.serverEvents)).toHaveLength(big.length);
  expect(dataOf(pair.clientEvents)).toHaveLength(big.length);
  pair.client.updateKeys(true);
  pump(pair);
  expect(pair.clientEvents.filter(({ type }) => type === "keyUpdate").length).toBeGreaterThan(3);
});

it("falls back to TLS 1.2 where one side wants that only", () => {
  expect(connect({ server: { versions: ["TLSv1.2"] } }).client.info?.version).toBe("TLSv1.2");
  const refused = newPair({ client: { versions: ["TLSv1.3"] }, server: { versions: ["TLSv1.2"] } });
  pump(refused);
  expect(refused.client.error?.alertReceived).toBe("protocol_version");
});
