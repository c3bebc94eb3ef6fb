/**
 * Peers that send without end: each flood ends at a named limit, or costs no more than what was sent, in octets kept and in
 * time. Limits that a few records reach stand in `security-checklist.test.ts`.
 */

import { Duplex } from "node:stream";
import { inspect } from "node:util";
import { nodeProvider } from "@latchkey/crypto/node";
import { describe, expect, it } from "vitest";
import { clientWithHooks } from "../src/create.ts";
import { encodeHandshake } from "../src/handshake-input.ts";
import { defaultTlsLimits, type TlsEngine, TicketKeys } from "../src/index.ts";
import { acceptTls } from "../src/node.ts";
import { written } from "../src/writer.ts";
import { type EditableHello, editClientHello, octets, plain, setExtension } from "./hostile-peer.ts";
import { clientConfig, connect, newPair, serverConfig, utf8 } from "./pair.ts";

/** Processor time in milliseconds: what other programs do does not count. */
function cpuMs(act: () => void): number {
  const before = process.cpuUsage();
  act();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

/** Feeds records until the engine fails; how many it took. */
function feed(engine: TlsEngine, next: () => Uint8Array): number {
  for (let count = 1; count <= 10_000; count++) {
    engine.receive(next());
    for (let event = engine.next(); event !== undefined; event = engine.next());
    if (engine.error !== undefined) return count;
  }
  throw new Error("nothing stopped it");
}

describe("before there are keys", () => {
  it("warning alerts to either side, in either version", () => {
    for (const version of ["TLSv1.3", "TLSv1.2"] as const) {
      for (const side of ["client", "server"] as const) {
        const engine = newPair({ client: { versions: [version] }, server: { versions: [version] } })[side];
        expect(feed(engine, () => plain(21, octets(1, 90)))).toBe(defaultTlsLimits.warningAlerts + 1);
        expect(engine.error?.limit).toBe("warningAlerts");
      }
    }
  });

  it("change_cipher_spec: none to a server that waits for a hello, two to a client, and alternating with alerts", () => {
    const ccs = plain(20, octets(1));
    expect(feed(newPair().server, () => ccs)).toBe(1);
    const { client } = newPair();
    expect(feed(client, () => ccs)).toBe(defaultTlsLimits.changeCipherSpecs + 1);
    let turn = 0;
    const other = newPair({ client: { limits: { changeCipherSpecs: 1000, warningAlerts: 1000 } } }).client;
    expect(feed(other, () => (turn++ % 2 === 0 ? ccs : plain(21, octets(1, 90))))).toBe(
      defaultTlsLimits.uselessRecords + 1,
    );
  });

  it("HelloRequests to a client of TLS 1.2", () => {
    const { client } = newPair({ client: { versions: ["TLSv1.2"] } });
    const request = plain(22, encodeHandshake("hello_request", octets()));
    expect(feed(client, () => request)).toBe(defaultTlsLimits.uselessRecords + 1);
    expect(client.error?.limit).toBe("uselessRecords");
  });

  it("a message of the greatest length that is allowed, an octet a record, an octet a write", () => {
    const limits = { handshakeMessageOctets: 32_768 };
    const whole = encodeHandshake("client_hello", new Uint8Array(limits.handshakeMessageOctets - 4));
    for (const width of [1, 6]) {
      const { server } = newPair({ server: { limits } });
      const record = new Uint8Array(6);
      const milliseconds = cpuMs(() => {
        for (const octet of whole.subarray(0, -1)) {
          record.set([22, 3, 3, 0, 1, octet]);
          for (let at = 0; at < record.length; at += width) server.receive(record.subarray(at, at + width));
        }
      });
      expect([server.phase, server.error]).toEqual(["handshake", undefined]);
      // 32,767 records: nothing is copied again for each of them.
      expect(milliseconds).toBeLessThan(1500);
    }
  });

  it("a record of the greatest length, an octet a write", () => {
    const { client, server } = connect();
    client.send(new Uint8Array(16_384));
    const record = client.takeOutput()!;
    expect(
      cpuMs(() => {
        for (const octet of record) server.receive(octets(octet));
      }),
    ).toBeLessThan(1000);
    expect(server.next()).toMatchObject({ type: "data" });
  });
});

/** 16-bit numbers from 0x1a00 on, in a list with its length. */
function numbers(count: number, lengthOctets: 1 | 2 = 2): Uint8Array {
  return written((writer) => {
    const list = Uint8Array.from({ length: 2 * count }, (_, at) =>
      at % 2 === 0 ? 0x40 + (at >> 9) : (at >> 1) & 0xff,
    );
    if (lengthOctets === 1) writer.vector8(list);
    else writer.vector16(list);
  });
}

describe("hellos of 64 KB that want as much work as they can", () => {
  const hellos: readonly (readonly [string, (hello: EditableHello) => void])[] = [
    [
      "extensions that nobody knows",
      (hello) => {
        for (let number = 0; number < 16_000; number++) hello.extensions.push([0x1a00 + number, octets()]);
      },
    ],
    [
      "one extension again and again",
      (hello) => {
        for (let count = 0; count < 16_000; count++) hello.extensions.push([0x1a1a, octets()]);
      },
    ],
    ["cipher suites", (hello) => void (hello.suites = Array.from({ length: 32_000 }, (_, at) => at + 0x2000))],
    ["groups", (hello) => setExtension(hello, "supported_groups", numbers(32_000))],
    ["schemes", (hello) => setExtension(hello, "signature_algorithms", numbers(32_000))],
    ["schemes of certificates", (hello) => setExtension(hello, "signature_algorithms_cert", numbers(32_000))],
    ["versions", (hello) => setExtension(hello, "supported_versions", numbers(127, 1))],
    [
      "protocol names",
      (hello) => {
        const names = written((writer) => {
          writer.vector16((list) => {
            for (let count = 0; count < 20_000; count++) list.vector8(octets(count & 0xff, count >> 8));
          });
        });
        setExtension(hello, "application_layer_protocol_negotiation", names);
      },
    ],
    [
      "key shares of unknown groups",
      (hello) => {
        const shares = written((writer) => {
          writer.vector16((list) => {
            for (let count = 0; count < 12_000; count++) list.uint16(0x4000 + count).vector16(octets(1));
          });
        });
        setExtension(hello, "key_share", shares);
      },
    ],
    [
      "authorities",
      (hello) => {
        const names = written((writer) => {
          writer.vector16((list) => {
            for (let count = 0; count < 20_000; count++) list.vector16(octets(1));
          });
        });
        setExtension(hello, "certificate_authorities", names);
      },
    ],
    [
      "tickets",
      (hello) => {
        const keys = written((writer) => {
          writer.vector16((list) => {
            for (let count = 0; count < 1500; count++) list.vector16(octets(1)).uint32(0);
          });
          writer.vector16((list) => {
            for (let count = 0; count < 1500; count++) list.vector8(new Uint8Array(32));
          });
        });
        setExtension(hello, "pre_shared_key", keys);
      },
    ],
  ];

  it.each(hellos)("%s", (_name, edit) => {
    const tickets = new TicketKeys({ provider: nodeProvider });
    const pair = newPair({ server: { tickets, alpn: ["mqtt"] }, clientHooks: editClientHello(edit) });
    const hello = pair.client.takeOutput()!;
    // A handshake is some milliseconds; what the hello's lists cost is no more than that again.
    expect(cpuMs(() => pair.server.receive(hello))).toBeLessThan(400);
    expect(["handshake", "failed"]).toContain(pair.server.phase);
    expect(pair.server.error?.code).not.toBe("ERR_TLS_INTERNAL");
  });
});

describe("under keys", () => {
  it("a peer that wants new keys without end, with data between, and reads nothing", () => {
    const { client, server } = connect();
    server.takeOutput();
    let most = 0;
    for (let count = 0; count < 2000; count++) {
      client.updateKeys(true);
      client.send(utf8("x"));
      server.receive(client.takeOutput()!);
      for (let event = server.next(); event !== undefined; event = server.next());
      most = Math.max(most, server.outputOctets);
    }
    expect(server.error).toBeUndefined();
    // RFC 8446 §4.6.3: one answer does for all requests before it.
    expect(most).toBeLessThan(100);
    // It is a whole answer: both go on, under new keys each way.
    server.send(utf8("still here"));
    client.receive(server.takeOutput()!);
    const heard = [];
    for (let event = client.next(); event !== undefined; event = client.next()) heard.push(event.type);
    expect(heard.slice(-2)).toEqual(["keyUpdate", "data"]);
  });

  it("the same over a transport that does not take what is written", () => {
    let kept = 0;
    const client = clientWithHooks(clientConfig, {});
    const transport = new Duplex({
      read: () => undefined,
      // Nothing is ever done, once the handshake is.
      write: (chunk: Buffer, _encoding, done) => {
        if (client.phase !== "handshake") {
          kept += chunk.length;
          return;
        }
        client.receive(chunk);
        done();
      },
      writableHighWaterMark: 1024,
    });
    const stream = acceptTls(transport, serverConfig);
    stream.on("error", () => undefined);
    stream.on("data", () => undefined);
    const carry = (): void => {
      for (let output = client.takeOutput(); output !== undefined; output = client.takeOutput()) {
        transport.emit("data", Buffer.from(output));
      }
    };
    carry();
    carry();
    expect(stream.info).toBeDefined();
    for (let count = 0; count < 2000; count++) {
      client.updateKeys(true);
      client.send(utf8("x"));
      carry();
    }
    expect(stream.destroyed).toBe(false);
    expect(kept + transport.writableLength).toBeLessThan(4096);
    stream.destroy();
  });

  it("tickets to a client", () => {
    const tickets = new TicketKeys({ provider: nodeProvider });
    const pair = connect({ server: { tickets, ticketCount: 200 } });
    expect(pair.client.error?.limit).toBe("sessionTickets");
  });

  it("a stream shows no secret, whatever is asked of it", () => {
    const secrets: string[] = [];
    const client = clientWithHooks(clientConfig, {});
    const transport = new Duplex({
      read: () => undefined,
      write: (chunk: Buffer, _encoding, done) => {
        client.receive(chunk);
        done();
      },
    });
    const tickets = new TicketKeys({ provider: nodeProvider });
    const stream = acceptTls(transport, {
      ...serverConfig,
      tickets,
      keyLog: (line) => secrets.push(line.split(" ")[2]!),
    });
    for (let output = client.takeOutput(); output !== undefined; output = client.takeOutput()) {
      transport.emit("data", Buffer.from(output));
    }
    expect(stream.info).toBeDefined();
    expect(secrets.length).toBe(5);
    const shown = inspect(stream, { depth: 20, showHidden: true, getters: true, maxArrayLength: null });
    for (const secret of secrets) {
      const start = secret.match(/../g)!.slice(0, 6);
      for (const text of [secret, start.join(" "), start.map((one) => Number.parseInt(one, 16)).join(", ")]) {
        expect(shown).not.toContain(text);
      }
    }
    stream.destroy();
  });
});
