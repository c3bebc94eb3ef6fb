/**
 * The checklist of attacks, line by line: each test names its line. It is one file, however long, so that it can be read beside the list.
 */

import { inspect } from "node:util";
import type { PrivateKey, PublicKey } from "@latchkey/crypto";
import { nobleProvider } from "@latchkey/crypto/noble";
import { nodeProvider } from "@latchkey/crypto/node";
import { describe, expect, it } from "vitest";
import { allCipherSuites } from "../src/cipher-suite.ts";
import type { Connection } from "../src/connection.ts";
import type { HandshakeType } from "../src/handshake-type.ts";
import type { OutgoingHooks } from "../src/outgoing.ts";
import { encodeHandshake } from "../src/handshake-input.ts";
import {
  type AlertName,
  type NamedGroup,
  parseSession,
  type ProtocolVersion,
  type TlsErrorCode,
  type TlsEngine,
  TicketKeys,
  type TraceEvent,
  chainPeerVerifier,
} from "../src/index.ts";
import { KeyShare } from "../src/named-group.ts";
import { FinishedVerified } from "../src/proofs.ts";
import { helloRetryRandom } from "../src/messages/server-hello.ts";
import * as identities from "./identities.ts";
import {
  editClientHello,
  editServerHello,
  type EditableHello,
  extension,
  KeyLogReader,
  octets,
  plain,
  refusal,
  refusalOf,
  replace,
  sealed,
  setExtension,
} from "./hostile-peer.ts";
import { withPrivateKey } from "./key-shares.ts";
import { connect, dataOf, newPair, type Pair, type PairOptions, pump, utf8 } from "./pair.ts";

const tls12 = { client: { versions: ["TLSv1.2"] } } as const satisfies PairOptions;

function expectServer(
  edit: (hello: EditableHello, index: number) => void,
  alert: AlertName,
  options: PairOptions = {},
): TlsErrorCode {
  const error = refusal({ ...options, clientHooks: editClientHello(edit) }, "server");
  expect(error.alertSent).toBe(alert);
  return error.code;
}

function expectClient(
  edit: (hello: EditableHello, index: number) => void,
  alert: AlertName,
  options: PairOptions = {},
): TlsErrorCode {
  const error = refusal({ ...options, serverHooks: editServerHello(edit) }, "client");
  expect(error.alertSent).toBe(alert);
  return error.code;
}

function expectConnected(pair: Pair): void {
  expect([pair.client.error?.message, pair.server.error?.message]).toEqual([undefined, undefined]);
  expect(pair.server.phase).toBe("open");
}

/** A connected pair whose client's records a test makes itself. */
function forged(options: PairOptions = {}): {
  pair: Pair;
  seal: (type: number, content: Uint8Array, padding?: number) => void;
} {
  const keys = new KeyLogReader();
  const pair = connect({ ...options, client: { ...options.client, keyLog: keys.log } });
  expectConnected(pair);
  const protection = keys.protection("CLIENT_TRAFFIC_SECRET_0");
  return { pair, seal: (type, content, padding) => pair.server.receive(sealed(protection, type, content, padding)) };
}

describe("version and downgrade", () => {
  it("1. only 1.2 and 1.3", () => {
    for (const version of [0x0300, 0x0301, 0x0302]) {
      const edit = (hello: EditableHello): void => {
        hello.legacyVersion = version;
        setExtension(hello, "supported_versions", undefined);
      };
      expect(expectServer(edit, "protocol_version")).toBe("ERR_TLS_VERSION");
      expectClient((hello) => (hello.legacyVersion = version), "protocol_version", tls12);
    }
    expectServer((hello) => setExtension(hello, "supported_versions", octets(2, 3, 2)), "protocol_version");
  });
  it("2. supported_versions decides", () => {
    const pair = connect({ clientHooks: editClientHello((hello) => (hello.legacyVersion = 0x0302)) });
    expect(pair.server.info?.version).toBe("TLSv1.3");
    expectClient((hello) => setExtension(hello, "supported_versions", octets(3, 3)), "illegal_parameter");
  });
  it("3. the downgrade mark ends the connection", () => {
    const options = { clientHooks: editClientHello((hello) => setExtension(hello, "supported_versions", undefined)) };
    expect(refusal(options, "client").code).toBe("ERR_TLS_DOWNGRADE");
    expect(refusal(options, "client").alertSent).toBe("illegal_parameter");
  });
  it("4. TLS_FALLBACK_SCSV below our maximum", () => {
    expectServer((hello) => hello.suites.push(0x5600), "inappropriate_fallback", tls12);
    expectConnected(connect({ clientHooks: editClientHello((hello) => hello.suites.push(0x5600)) }));
  });
  it("5. SSLv2 hellos", () => {
    const { server } = newPair();
    server.receive(octets(0x80, 0x2e, 1, 0, 2, 0, 0x15, 0, 0, 0, 0x10, 7, 0, 0xc0));
    expect(server.error?.alertSent).toBe("unexpected_message");
    expect(server.error).toBeDefined();
  });
  it("6. unknown suites, groups, versions and extensions are skipped", () => {
    const grease = editClientHello((hello) => {
      hello.suites.unshift(0x0a0a, 0xfafa);
      for (let number = 0x3000; number < 0x5000; number++) hello.extensions.push([number, octets()]);
      hello.extensions.unshift([0x2a2a, octets(0)]);
      setExtension(hello, "supported_versions", octets(6, 0x7a, 0x7a, 3, 4, 3, 3));
      setExtension(hello, "supported_groups", octets(0, 8, 0xaa, 0xaa, 0, 29, 0, 23, 0, 24));
    });
    expectConnected(connect({ clientHooks: grease }));
  });
  it("7. the second hello equals the first, one retry at most", () => {
    const retry: PairOptions = { client: { groups: ["x25519", "secp256r1"] }, server: { groups: ["secp256r1"] } };
    const changes: ((hello: EditableHello) => void)[] = [
      (hello) => (hello.random[0]! ^= 1),
      (hello) => (hello.sessionId = octets(1)),
      (hello) => hello.suites.reverse(),
      (hello) => setExtension(hello, "signature_algorithms", octets(0, 2, 4, 3)),
      (hello) => setExtension(hello, 0x1234, octets()),
      (hello) => setExtension(hello, "early_data", octets()),
      (hello) => setExtension(hello, "key_share", octets(0, 0)),
    ];
    for (const change of changes) {
      expectServer((hello, index) => index === 1 && change(hello), "illegal_parameter", retry);
    }
    const withoutShare = (hello: EditableHello, index: number): void => {
      if (index === 1) setExtension(hello, "key_share", undefined);
    };
    expect(expectServer(withoutShare, "missing_extension", retry)).toBe("ERR_TLS_MISSING_EXTENSION");
    expectClient((hello, index) => index === 1 && (hello.suites = [0x1302]), "illegal_parameter", retry);
    const again = (hello: EditableHello, index: number): void => {
      if (index === 0) return;
      hello.random = helloRetryRandom;
      setExtension(hello, "key_share", octets(0, 24));
    };
    expectClient(again, "unexpected_message", retry);
    const withCookie = (value: Uint8Array): ((hello: EditableHello, index: number) => void) => {
      return (hello, index) => index === 0 && setExtension(hello, "cookie", value);
    };
    for (const wrong of [octets(0, 0), octets(0, 2, 1), octets(0, 1, 1, 1)]) {
      expectClient(withCookie(wrong), "decode_error", retry);
    }
  });
});

describe("negotiation", () => {
  it("8. compression", () => {
    expectServer((hello) => (hello.compression = [0, 1]), "illegal_parameter");
    expectServer((hello) => (hello.compression = [1]), "illegal_parameter", tls12);
    expectConnected(connect({ ...tls12, clientHooks: editClientHello((hello) => (hello.compression = [1, 0])) }));
    expectClient((hello) => (hello.compression = [1]), "illegal_parameter");
  });
  it("9. duplicate extensions", () => {
    expectServer((hello) => hello.extensions.push(hello.extensions[0]!), "illegal_parameter");
    expectClient((hello) => hello.extensions.push(hello.extensions[0]!), "illegal_parameter");
  });
  it("10. extensions that were not asked for", () => {
    expectClient((hello) => setExtension(hello, 0x1234, octets()), "unsupported_extension");
    expectClient((hello) => setExtension(hello, 0x1234, octets()), "unsupported_extension", tls12);
    const unasked = replace("encrypted_extensions", () => [
      encodeHandshake("encrypted_extensions", octets(0, 6, 0, 16, 0, 2, 0, 0)),
    ]);
    expect(refusal({ serverHooks: unasked }, "client").alertSent).toBe("unsupported_extension");
    const misplaced = replace("encrypted_extensions", () => [
      encodeHandshake("encrypted_extensions", octets(0, 6, 0, 51, 0, 2, 0, 29)),
    ]);
    expect(refusal({ serverHooks: misplaced }, "client").alertSent).toBe("illegal_parameter");
    const stapled = replace("certificate", (encoding) => {
      const body = encoding.slice(4, -2);
      return [encodeHandshake("certificate", grown(body, octets(0, 4, 0, 5, 0, 0)))];
    });
    expect(refusal({ serverHooks: stapled }, "client").alertSent).toBe("unsupported_extension");
  });
  it("11. the server selects only what was offered", () => {
    expectClient((hello) => (hello.suites = [0x1304]), "illegal_parameter");
    expectClient((hello) => (hello.suites = [0xc02b]), "illegal_parameter");
    expectClient((hello) => (hello.suites = [0x1302]), "illegal_parameter", {
      client: { cipherSuites: ["TLS_AES_128_GCM_SHA256"], versions: ["TLSv1.3"] },
    });
    expectClient((hello) => setExtension(hello, "key_share", Uint8Array.from([0, 23, 0, 1, 4])), "illegal_parameter");
    const protocol = replace("encrypted_extensions", () => [
      encodeHandshake("encrypted_extensions", octets(0, 9, 0, 16, 0, 5, 0, 3, 2, 0x68, 0x32)),
    ]);
    expect(refusal({ client: { alpn: ["mqtt"] }, serverHooks: protocol }, "client").alertSent).toBe(
      "illegal_parameter",
    );
    expectClient((hello) => setExtension(hello, "pre_shared_key", octets(0, 0)), "unsupported_extension");
  });
  it("11. RFC 8422 §5.3: a TLS 1.2 server's key is on a curve that was offered; no client's key has to be", () => {
    const { newDevice, newServer, root } = identities;
    const outcome = (groups: NamedGroup[], key: identities.KeyKind, version: ProtocolVersion): string | undefined => {
      const client = { versions: [version], groups, credentials: [newDevice(root, "p521").credential] };
      // The server sees another offer, and sends what the client did not ask for.
      const widened = editClientHello((hello) =>
        setExtension(hello, "supported_groups", octets(0, 8, 0, 24, 0, 29, 0, 23, 0, 25)),
      );
      const server = { groups, credentials: [newServer(root, key).credential] };
      const pair = connect({ client, server, clientHooks: widened });
      expect(pair.server.error?.alertReceived).toBe(pair.client.error?.alertSent);
      return pair.client.error?.alertSent;
    };
    expect(outcome(["secp384r1"], "p256", "TLSv1.2")).toBe("illegal_parameter");
    expect(outcome(["x25519"], "p521", "TLSv1.2")).toBe("illegal_parameter");
    expect(outcome(["secp384r1"], "p384", "TLSv1.2")).toBeUndefined();
    expect(outcome(["secp384r1"], "ed25519", "TLSv1.2")).toBeUndefined();
    expect(outcome(["secp384r1"], "rsa", "TLSv1.2")).toBeUndefined();
    // RFC 8446 §4.2.7: in TLS 1.3 the schemes name the curves of certificates.
    expect(outcome(["secp384r1"], "p256", "TLSv1.3")).toBeUndefined();
  });
  it("12. pre_shared_key is last, its lists match, its binder holds", () => {
    const { options } = resumable();
    expectServer((hello) => hello.extensions.push([0x1234, octets()]), "illegal_parameter", options);
    const binder = (hello: EditableHello): void => {
      const value = extension(hello, "pre_shared_key").slice();
      value[value.length - 1]! ^= 1;
      setExtension(hello, "pre_shared_key", value);
    };
    expect(expectServer(binder, "decrypt_error", options)).toBe("ERR_TLS_BINDER");
    const lists = (hello: EditableHello): void => {
      const value = extension(hello, "pre_shared_key");
      const more = new Uint8Array(value.length + 33);
      more.set(value);
      const at = value.length - 35;
      more.set([(((more[at]! << 8) | more[at + 1]!) + 33) >> 8, 66], at);
      more[value.length] = 32;
      setExtension(hello, "pre_shared_key", more);
    };
    expectServer(lists, "illegal_parameter", options);
  });
  it("12. RFC 8446 §4.1.2: a second hello keeps the tickets that fit the suite, and adds none", () => {
    const retry: PairOptions = {
      client: { groups: ["x25519", "secp256r1"], versions: ["TLSv1.3"] },
      server: { groups: ["secp256r1"] },
    };
    const { options } = resumable(retry);
    const without =
      (at: number) =>
      (hello: EditableHello, index: number): void => {
        if (index === at) setExtension(hello, "pre_shared_key", undefined);
      };
    expect(connect(options).server.info).toMatchObject({ isResumption: true, wasRetried: true });
    expectServer(without(1), "illegal_parameter", options);
    const isFull = (pair: Pair): void => {
      expectConnected(pair);
      expect(pair.server.info).toMatchObject({ isResumption: false, wasRetried: true });
    };
    // What this server cannot resume by may be of any suite.
    const tickets = new TicketKeys({ provider: nodeProvider });
    const strange = { ...options, server: { ...options.server, tickets } };
    isFull(connect({ ...strange, clientHooks: editClientHello(without(1)) }));
    const modes = editClientHello((hello, index) => {
      setExtension(hello, "psk_key_exchange_modes", octets(1, 0));
      without(1)(hello, index);
    });
    isFull(connect({ ...options, clientHooks: modes }));
    // Our client leaves out what does not fit the suite that the server wants now.
    const other = { cipherSuites: ["TLS_AES_256_GCM_SHA384"], versions: ["TLSv1.3"] } as const;
    isFull(connect({ ...options, server: { ...options.server, ...other } }));
    expectServer(without(0), "illegal_parameter", options);
  });
  it("13. a ticket needs psk_dhe_ke", () => {
    const { options } = resumable();
    expectServer((hello) => setExtension(hello, "psk_key_exchange_modes", undefined), "missing_extension", options);
    const pair = connect({
      ...options,
      clientHooks: editClientHello((hello) => setExtension(hello, "psk_key_exchange_modes", octets(1, 0))),
    });
    // The binder is not looked at, and a full handshake follows.
    expect(pair.server.info?.isResumption ?? false).toBe(false);
  });
  it("14. ALPN without overlap, and empty names", () => {
    const error = refusal({ client: { alpn: ["h2"] }, server: { alpn: ["mqtt"] } }, "server");
    expect(error.alertSent).toBe("no_application_protocol");
    const empty = (hello: EditableHello): void =>
      setExtension(hello, "application_layer_protocol_negotiation", octets(0, 2, 0, 0));
    expectServer(empty, "decode_error", { server: { alpn: ["mqtt"] } });
    expect(connect({ client: { alpn: ["h2", "mqtt"] }, server: { alpn: ["mqtt"] } }).client.info?.alpnProtocol).toBe(
      "mqtt",
    );
  });
  it("15. server_name: one, not empty, no NUL; a name that is not served", () => {
    const names = [
      octets(0, 3, 0, 0, 0),
      octets(0, 5, 0, 0, 2, 0x61, 0),
      octets(0, 4, 1, 0, 1, 0x61),
      octets(0, 8, 0, 0, 1, 0x61, 0, 0, 1, 0x62),
      octets(0, 0),
    ];
    for (const name of names) {
      const error = refusal(
        { clientHooks: editClientHello((hello) => setExtension(hello, "server_name", name)) },
        "server",
      );
      expect(["illegal_parameter", "decode_error"]).toContain(error.alertSent);
    }
    expect(refusal({ server: { acceptsServerName: () => false } }, "server").alertSent).toBe("unrecognized_name");
  });
  it("16. no heartbeat, no max_fragment_length", () => {
    const pair = connect({
      clientHooks: editClientHello((hello) => hello.extensions.unshift([15, octets(1)], [1, octets(1)])),
    });
    expectConnected(pair);
  });
  it("17. weak suites are not in the table", () => {
    expect(
      allCipherSuites.every(({ name }) =>
        /^TLS_(AES|CHACHA20|ECDHE_(ECDSA|RSA)_WITH_(AES_(128|256)_GCM|CHACHA20))/.test(name),
      ),
    ).toBe(true);
    const weak = [0x0000, 0x0005, 0x000a, 0x002f, 0x0035, 0x003c, 0x009c, 0x009e, 0xc013, 0xc018, 0xc023, 0xc027];
    expectServer((hello) => (hello.suites = weak), "handshake_failure");
    expectServer((hello) => (hello.suites = [...weak, 0x00ff]), "handshake_failure", tls12);
  });
});

function grown(body: Uint8Array, tail: Uint8Array): Uint8Array {
  // A Certificate whose one entry ends with other extensions.
  const whole = Uint8Array.from([...body, ...tail]);
  const length = whole.length - 4;
  whole.set([length >> 16, length >> 8, length], 1);
  return whole;
}

function resumable(options: PairOptions = {}): { options: PairOptions; tickets: TicketKeys } {
  const tickets = new TicketKeys({ provider: nodeProvider });
  const server = { ...options.server, tickets };
  const first = connect({ ...options, server });
  expectConnected(first);
  const event = first.clientEvents.find(({ type }) => type === "session");
  if (event?.type !== "session") throw new Error("no session");
  return { tickets, options: { ...options, server, client: { ...options.client, session: event.session } } };
}

describe("key exchange", () => {
  const shareOf = (group: number, value: Uint8Array): Uint8Array =>
    Uint8Array.from([0, value.length + 4, 0, group, value.length >> 8, value.length, ...value]);
  it.each([
    ["secp256r1", 23, 65],
    ["secp384r1", 24, 97],
  ] as const)("18. points of %s: uncompressed, on the curve", (group, number, length) => {
    const good = new KeyShare(nodeProvider, group).publicValue;
    // In TLS 1.2 the curve of the server's certificate has to be offered, too.
    const groups = [...new Set([group, "secp256r1"] as const)];
    expect(good).toHaveLength(length);
    const options: PairOptions = { client: { groups: [group] } };
    const off = good.slice();
    off[length - 1]! ^= 1;
    const bad = [
      off,
      octets(4),
      good.subarray(0, length - 1),
      Uint8Array.from([2, ...good.subarray(1, (length + 1) / 2)]),
      Uint8Array.from([6 | (good[length - 1]! & 1), ...good.subarray(1)]),
      octets(0),
      new Uint8Array(length).fill(4, 0, 1),
    ];
    for (const value of bad) {
      expectServer((hello) => setExtension(hello, "key_share", shareOf(number, value)), "illegal_parameter", options);
      const tls12Share = replace("client_key_exchange", () => [
        encodeHandshake("client_key_exchange", Uint8Array.from([value.length, ...value])),
      ]);
      const error = refusal(
        { client: { versions: ["TLSv1.2"], groups }, server: { groups }, clientHooks: tls12Share },
        "server",
      );
      expect(error.alertSent).toBe("illegal_parameter");
    }
  });
  it("19. X25519: 32 octets, no small order", () => {
    for (const value of [
      new Uint8Array(32),
      Uint8Array.from([1, ...new Uint8Array(31)]),
      new Uint8Array(31).fill(9),
      new Uint8Array(33).fill(9),
    ]) {
      expectServer((hello) => setExtension(hello, "key_share", shareOf(29, value)), "illegal_parameter");
    }
  });
  // Found by search: the product of the two private keys gives a secret whose first octet is zero.
  it.each([
    ["x25519", `${"0".repeat(61)}103`, `${"0".repeat(63)}1`, 32],
    ["secp256r1", "17b", "1", 32],
    ["secp384r1", "c5", "1", 48],
  ] as const)("20. a shared secret of %s keeps its leading zeros", (group, clientKey, serverKey, length) => {
    const provider = withPrivateKey(nodeProvider, group, clientKey);
    const serverProvider = withPrivateKey(nobleProvider, group, serverKey);
    const secret = new KeyShare(provider, group).agree(new KeyShare(serverProvider, group).publicValue);
    expect(secret).toHaveLength(length);
    expect(secret[0]).toBe(0);
    const clientValue = new KeyShare(provider, group).publicValue;
    // In TLS 1.2 the curve of the server's certificate has to be offered, too.
    const groups = [...new Set([group, "secp256r1"] as const)];
    for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
      // The server's other keys are of node:crypto, so only its key share is the other provider's.
      const agreeing = {
        ...nodeProvider,
        generateKeyPair: () => serverProvider.generateKeyPair({ name: "x25519" }),
        importSpki: (spki: Uint8Array) =>
          (Buffer.from(spki).includes(Buffer.from(clientValue)) ? nobleProvider : nodeProvider).importSpki(spki),
        deriveSharedSecret: (privateKey: PrivateKey, publicKey: PublicKey) =>
          nobleProvider.deriveSharedSecret(privateKey, publicKey),
      };
      const pair = connect({
        client: { provider, versions: [version], groups },
        server: { provider: agreeing, groups },
      });
      expectConnected(pair);
      expect(pair.server.info?.group).toBe(group);
    }
  });
  it("21. a fresh key for each handshake", () => {
    const seen = new Set<string>();
    for (let round = 0; round < 3; round++) {
      connect({
        clientHooks: editClientHello((hello) => seen.add(Buffer.from(extension(hello, "key_share")).toString("hex"))),
        serverHooks: editServerHello((hello) => seen.add(Buffer.from(extension(hello, "key_share")).toString("hex"))),
      });
    }
    expect(seen.size).toBe(6);
    const share = new KeyShare(nodeProvider, "x25519");
    share.agree(new KeyShare(nodeProvider, "x25519").publicValue);
    expect(() => share.agree(new KeyShare(nodeProvider, "x25519").publicValue)).toThrow("once");
  });
  it("22. shares in offered groups only, none twice", () => {
    const share = new KeyShare(nodeProvider, "x25519").publicValue;
    const twice = Uint8Array.from([0, 72, ...shareOf(29, share).subarray(2), ...shareOf(29, share).subarray(2)]);
    expectServer((hello) => setExtension(hello, "key_share", twice), "illegal_parameter");
    expectServer((hello) => setExtension(hello, "supported_groups", octets(0, 2, 0, 23)), "illegal_parameter");
  });
  it("23. ec_point_formats without uncompressed", () => {
    expectServer((hello) => setExtension(hello, "ec_point_formats", octets(1, 1)), "illegal_parameter", tls12);
    expectClient((hello) => setExtension(hello, "ec_point_formats", octets(1, 1)), "illegal_parameter", tls12);
  });
  it("24. the extended main secret, always", () => {
    expectServer((hello) => setExtension(hello, "extended_master_secret", undefined), "handshake_failure", tls12);
    expectClient((hello) => setExtension(hello, "extended_master_secret", undefined), "handshake_failure", tls12);
    const { options } = resumable(tls12);
    expectServer((hello) => setExtension(hello, "extended_master_secret", undefined), "handshake_failure", options);
    expectClient((hello) => setExtension(hello, "extended_master_secret", undefined), "handshake_failure", options);
  });
});

describe("authentication", () => {
  const trusting = { verify: () => ({ ok: true }) as const };
  const flip = (encoding: Uint8Array): Uint8Array[] => {
    const changed = encoding.slice();
    changed[changed.length - 1]! ^= 1;
    return [changed];
  };
  it("25. signatures are checked also where every chain is believed", () => {
    const believing: PairOptions = { client: { verifier: trusting }, server: { verifier: trusting } };
    for (const options of [believing, { ...believing, client: { ...believing.client, ...tls12.client } }]) {
      expect(refusal({ ...options, clientHooks: replace("certificate_verify", flip) }, "server").code).toBe(
        "ERR_TLS_SIGNATURE",
      );
      const name = options === believing ? "certificate_verify" : "server_key_exchange";
      expect(refusal({ ...options, serverHooks: replace(name, flip) }, "client").code).toBe("ERR_TLS_SIGNATURE");
    }
  });
  it("26. a certificate without CertificateVerify, and the other way round", () => {
    for (const options of [{}, tls12]) {
      for (const name of ["certificate_verify", "certificate"] as const) {
        const error = refusal({ ...options, clientHooks: replace(name, () => []) }, "server");
        expect(error.alertSent).toBe("unexpected_message");
      }
    }
    expect(refusal({ serverHooks: replace("certificate_verify", () => []) }, "client").alertSent).toBe(
      "unexpected_message",
    );
  });
  it("27. no client certificate where one is required", () => {
    expect(refusal({ client: { credentials: [] } }, "server").alertSent).toBe("certificate_required");
    expect(refusal({ client: { credentials: [], versions: ["TLSv1.2"] } }, "server").alertSent).toBe(
      "handshake_failure",
    );
  });
  it("28, 29, 31. a scheme that was offered and fits the key; no SHA-1, no PKCS#1 in TLS 1.3", () => {
    const scheme =
      (number: number) =>
      (encoding: Uint8Array): Uint8Array[] => {
        const changed = encoding.slice();
        changed.set([number >> 8, number], 4);
        return [changed];
      };
    for (const number of [0x0203, 0x0201, 0x0401, 0x0804, 0x0809, 0x0503, 0x0807, 0x9999]) {
      for (const options of [{}, tls12]) {
        const error = refusal({ ...options, clientHooks: replace("certificate_verify", scheme(number)) }, "server");
        // In TLS 1.2 SHA-384 goes with P-256, so there the signature itself is wrong.
        expect(error.alertSent).toBe(number === 0x0503 && options === tls12 ? "decrypt_error" : "illegal_parameter");
      }
    }
    const rsa = identities.newServer(identities.root, "rsa");
    const serverRsa = { server: { credentials: [rsa.credential] } };
    for (const number of [0x0401, 0x0809, 0x080a]) {
      expect(
        refusal({ ...serverRsa, serverHooks: replace("certificate_verify", scheme(number)) }, "client").alertSent,
      ).toBe("illegal_parameter");
    }
    expect(
      refusal(
        {
          clientHooks: editClientHello((hello) =>
            setExtension(hello, "signature_algorithms", octets(0, 4, 2, 3, 2, 1)),
          ),
        },
        "server",
      ).alertSent,
    ).toBe("handshake_failure");
  });
  it("30. a server's signature is no client's", () => {
    // The context strings differ, see rfc8448.test.ts for the check with the other string.
    const swapped = {
      ...identities.device.credential,
      sign: (scheme: "ecdsa_secp256r1_sha256", data: Uint8Array) => {
        const changed = Uint8Array.from(data);
        changed.set(utf8("TLS 1.3, server CertificateVerify"), 64);
        return identities.device.credential.sign!(scheme, changed);
      },
    };
    const credential = {
      ...swapped,
      sign: (scheme: Parameters<NonNullable<typeof identities.device.credential.sign>>[0], data: Uint8Array) =>
        swapped.sign(scheme as "ecdsa_secp256r1_sha256", data),
    };
    expect(refusal({ client: { credentials: [credential] } }, "server").code).toBe("ERR_TLS_SIGNATURE");
  });
  it("32. ECDSA signatures in strict DER", () => {
    const withTail = (encoding: Uint8Array): Uint8Array[] => {
      const body = encoding.slice(4);
      const longer = Uint8Array.from([...body, 0]);
      const length = longer.length - 4;
      longer.set([length >> 8, length], 2);
      return [encodeHandshake("certificate_verify", longer)];
    };
    expect(refusal({ clientHooks: replace("certificate_verify", withTail) }, "server").code).toBe("ERR_TLS_SIGNATURE");
    for (const signature of [[], [0x30, 6, 2, 1, 0, 2, 1, 0], [0x30, 6, 2, 1, 1, 2, 1, 0]]) {
      const body = [4, 3, 0, signature.length, ...signature];
      const error = refusal(
        {
          clientHooks: replace("certificate_verify", () => [
            encodeHandshake("certificate_verify", Uint8Array.from(body)),
          ]),
        },
        "server",
      );
      expect(error.code).toBe("ERR_TLS_SIGNATURE");
    }
  });
  it("33. bounds of certificate lists", () => {
    const { encoding } = identities.device.certificate;
    const credential = { ...identities.device.credential, chain: Array.from({ length: 11 }, () => encoding) };
    for (const options of [{}, tls12]) {
      const error = refusal(
        { ...options, client: { ...(options as PairOptions).client, credentials: [credential] } },
        "server",
      );
      expect(error).toMatchObject({ code: "ERR_TLS_LIMIT", limit: "certificates", alertSent: "bad_certificate" });
    }
    const empty = replace("certificate", () => [encodeHandshake("certificate", octets(0, 0, 0, 5, 0, 0, 0, 0, 0))]);
    expect(refusal({ clientHooks: empty }, "server").alertSent).toBe("decode_error");
    const none = replace("certificate", () => [encodeHandshake("certificate", octets(0, 0, 0, 0))]);
    expect(refusal({ serverHooks: none }, "client").alertSent).toBe("decode_error");
  });
  it("34. purpose and name of a certificate", () => {
    const wrongName = { client: { serverName: "other.example" } };
    expect(refusal(wrongName, "client").code).toBe("ERR_TLS_PEER_REFUSED");
    const asServer = { server: { credentials: [identities.device.credential] } };
    expect(refusal(asServer, "client").alertSent).toBe("unsupported_certificate");
    const asClient = { client: { credentials: [identities.server.credential] } };
    expect(refusal(asClient, "server").alertSent).toBe("unsupported_certificate");
  });
  it("35. resumption verifies the peer again", () => {
    const { options } = resumable();
    let isTrusted = true;
    const verifier = {
      verify: () =>
        isTrusted ? ({ ok: true } as const) : ({ ok: false, alert: "certificate_revoked", reason: "revoked" } as const),
    };
    const server = { ...options.server, verifier };
    const before = connect({ ...options, server });
    expect(before.server.info?.isResumption).toBe(true);
    isTrusted = false;
    // A full handshake follows, and refuses the client with the alert that fits.
    expect(refusal({ ...options, server }, "server").alertSent).toBe("certificate_revoked");
    const client = { ...options.client, verifier };
    expect(refusal({ ...options, client }, "client").alertSent).toBe("certificate_revoked");
    const late = {
      ...options,
      client: { ...options.client, clock: () => identities.now },
      server: { ...options.server, clock: () => identities.now + 366 * 86_400_000 },
    };
    expect(pump(newPair(late)).server.info).toBeUndefined();
  });
  it("36. Finished of another value or length", () => {
    for (const options of [{}, tls12]) {
      for (const hooks of ["clientHooks", "serverHooks"] as const) {
        const side = hooks === "clientHooks" ? "server" : "client";
        expect(refusal({ ...options, [hooks]: replace("finished", flip) }, side)).toMatchObject({
          code: "ERR_TLS_FINISHED",
          alertSent: "decrypt_error",
        });
        const short = replace("finished", (encoding) => [encodeHandshake("finished", encoding.slice(4, -1))]);
        expect(refusal({ ...options, [hooks]: short }, side).alertSent).toBe("decode_error");
      }
    }
  });
});

describe("state machine", () => {
  const names = {
    client: ["certificate", "certificate_verify", "client_key_exchange", "finished"],
    server: [
      "server_hello",
      "encrypted_extensions",
      "certificate_request",
      "certificate",
      "certificate_verify",
      "server_key_exchange",
      "server_hello_done",
      "finished",
    ],
  } as const;
  it("37. every message skipped or sent twice", () => {
    let tried = 0;
    for (const options of [{}, tls12]) {
      for (const role of ["client", "server"] as const) {
        for (const name of names[role]) {
          for (const change of [(): Uint8Array[] => [], (one: Uint8Array): Uint8Array[] => [one, one]]) {
            let isSent = false;
            const hooks = replace(name, (one) => {
              isSent = true;
              return change(one);
            });
            const pair = pump(newPair({ ...options, [`${role}Hooks`]: hooks }));
            if (!isSent) continue;
            tried++;
            const other = pair[role === "client" ? "server" : "client"];
            // A request that never came is an offer less; all else is an error, or a side that waits for ever.
            if (name === "certificate_request" && change(octets(1)).length === 0) continue;
            expect(other.phase, `${name} ${change(octets(1)).length}`).not.toBe("open");
            if (change(octets(1)).length === 2) expect(other.error?.alertSent, name).toBe("unexpected_message");
          }
        }
      }
    }
    expect(tried).toBeGreaterThan(30);
  });
  it("38. change_cipher_spec: one octet, where it belongs, not often", () => {
    const start = (): Pair => {
      const pair = newPair();
      pair.server.receive(pair.client.takeOutput()!);
      return pair;
    };
    for (const content of [octets(0), octets(1, 1), octets()]) {
      const { server } = start();
      server.receive(plain(20, content));
      expect(server.error?.alertSent).toBe("unexpected_message");
    }
    const { server } = start();
    for (let count = 0; count < 2; count++) server.receive(plain(20, octets(1)));
    expect(server.error).toBeUndefined();
    server.receive(plain(20, octets(1)));
    expect(server.error).toMatchObject({ code: "ERR_TLS_LIMIT", limit: "changeCipherSpecs" });
    const early = newPair();
    early.server.receive(plain(20, octets(1)));
    expect(early.server.error?.alertSent).toBe("unexpected_message");
    const open = connect();
    open.server.receive(plain(20, octets(1)));
    expect(open.server.error?.alertSent).toBe("unexpected_message");
    const inside = forged();
    inside.seal(20, octets(1));
    expect(inside.pair.server.error?.alertSent).toBe("unexpected_message");
    // TLS 1.2: before the keys there are none to change to (CVE-2014-0224).
    const pair = newPair(tls12);
    pair.server.receive(pair.client.takeOutput()!);
    pair.server.receive(plain(20, octets(1)));
    expect(pair.server.error?.alertSent).toBe("unexpected_message");
  });
  it("39. data before the handshake is done", () => {
    for (const options of [{}, tls12]) {
      const first = newPair(options);
      first.server.receive(plain(23, utf8("order")));
      expect(first.server.error?.alertSent).toBe("unexpected_message");
    }
    const keys = new KeyLogReader();
    const pair = newPair({ client: { keyLog: keys.log } });
    pair.server.receive(pair.client.takeOutput()!);
    pair.client.receive(pair.server.takeOutput()!);
    pair.server.receive(sealed(keys.protection("CLIENT_HANDSHAKE_TRAFFIC_SECRET"), 23, utf8("order")));
    expect(pair.server.error?.alertSent).toBe("unexpected_message");
  });
  it("40. messages in any fragments, none over a change of keys", () => {
    expectConnected(connect({ client: { recordOctets: 64 }, server: { recordOctets: 64 }, chunk: 7 }));
    const hello = newPair().client.takeOutput()!;
    const { server } = newPair();
    server.receive(plain(22, Uint8Array.from([...hello.subarray(5), 20, 0, 0])));
    expect(server.error?.alertSent).toBe("unexpected_message");
  });
  it("40. nothing behind the last message of a flight, before the answer came", () => {
    // The first octet of the next message comes along with the last one before it.
    const split = (last: HandshakeType, next: HandshakeType, type: number): OutgoingHooks => {
      let count = 0;
      const message = (name: HandshakeType, encoding: Uint8Array): Uint8Array[] => {
        if (name === last && count++ === 0) return [encoding, octets(type)];
        return [name === next ? encoding.subarray(1) : encoding];
      };
      return { editsTranscript: false, message };
    };
    const withTickets = { ...tls12, server: { tickets: new TicketKeys({ provider: nodeProvider }) } };
    const retry: PairOptions = { client: { groups: ["x25519", "secp256r1"] }, server: { groups: ["secp256r1"] } };
    const cases = [
      // To a server that wants another share, and to one of TLS 1.2.
      refusal({ ...retry, clientHooks: split("client_hello", "client_hello", 1) }, "server"),
      refusal({ ...tls12, clientHooks: split("client_hello", "client_key_exchange", 16) }, "server"),
      // To a client that answers a retry, and to one of TLS 1.2.
      refusal({ ...retry, serverHooks: split("server_hello", "server_hello", 2) }, "client"),
      refusal({ ...withTickets, serverHooks: split("server_hello_done", "new_session_ticket", 4) }, "client"),
    ];
    for (const { code, alertSent } of cases) {
      expect([code, alertSent]).toEqual(["ERR_TLS_UNEXPECTED_MESSAGE", "unexpected_message"]);
    }
  });
  it("41. no other record between the parts of a message", () => {
    const { client, server } = newPair();
    const hello = client.takeOutput()!;
    server.receive(plain(22, hello.subarray(5, 50)));
    server.receive(plain(20, octets(1)));
    expect(server.error?.alertSent).toBe("unexpected_message");
  });
  it("42. octets behind the end of a message", () => {
    for (const options of [{}, tls12]) {
      for (const role of ["client", "server"] as const) {
        for (const name of ["client_hello", ...names[role]] as const) {
          let isSent = false;
          const hooks = replace(name, (encoding) => {
            isSent = true;
            return [encodeHandshake(name, Uint8Array.from([...encoding.subarray(4), 0]))];
          });
          const pair = pump(newPair({ ...options, [`${role}Hooks`]: hooks }));
          if (isSent)
            expect(refusalOf(pair, role === "client" ? "server" : "client").alertSent, name).toBe("decode_error");
        }
      }
    }
  });
  it("43. lengths are held to their limits before the octets come", () => {
    const { server } = newPair();
    server.receive(plain(22, octets(1, 1, 0, 0)));
    expect(server.error).toMatchObject({ code: "ERR_TLS_LIMIT", limit: "handshakeMessageOctets" });
  });
  it("44. no renegotiation; renegotiation_info is answered and empty", () => {
    expectServer((hello) => setExtension(hello, "renegotiation_info", octets(1, 7)), "handshake_failure", tls12);
    expectServer((hello) => setExtension(hello, "renegotiation_info", undefined), "handshake_failure", tls12);
    expectClient((hello) => setExtension(hello, "renegotiation_info", octets(1, 7)), "handshake_failure", tls12);
    expectClient((hello) => setExtension(hello, "renegotiation_info", undefined), "handshake_failure", tls12);
    const scsv = editClientHello((hello) => {
      setExtension(hello, "renegotiation_info", undefined);
      hello.suites.push(0xff);
    });
    // The client did not offer the extension, as far as the server sees; its answer is what RFC 5746 wants.
    expectConnected(connect({ ...tls12, clientHooks: scsv }));
    const pair = connect(tls12);
    const hostile = pair.client as Connection;
    hostile.sendPostHandshake("client_hello", octets(3, 3));
    pump(pair);
    expect(pair.server.phase).toBe("open");
    hostile.sendPostHandshake("client_hello", octets(3, 3));
    pump(pair);
    expect(pair.server.error).toMatchObject({ code: "ERR_TLS_RENEGOTIATION", alertSent: "no_renegotiation" });
  });
  it("45. HelloRequest", () => {
    const { server } = newPair();
    server.receive(plain(22, octets(0, 0, 0, 0)));
    expect(server.error?.alertSent).toBe("unexpected_message");
    const pair = newPair(tls12);
    pair.client.receive(plain(22, octets(0, 0, 0, 0)));
    expectConnected(pump(pair));
  });
  it("46. what may come after the handshake", () => {
    for (const name of ["certificate_request", "finished", "server_hello", "certificate"] as const) {
      const pair = connect();
      (pair.server as Connection).sendPostHandshake(name, octets(0, 0, 0));
      pump(pair);
      expect(pair.client.error?.alertSent, name).toBe("unexpected_message");
    }
    const pair = connect();
    (pair.client as Connection).sendPostHandshake("new_session_ticket", octets(0));
    pump(pair);
    expect(pair.server.error?.alertSent).toBe("unexpected_message");
  });
});

describe("records", () => {
  it("47. records that are too long, refused by their header", () => {
    const { server } = newPair();
    server.receive(octets(22, 3, 1, 0x40, 1));
    expect(server.error?.alertSent).toBe("record_overflow");
    for (const options of [{}, tls12]) {
      const open = connect(options);
      const length = options === tls12 ? 16_384 + 2049 : 16_384 + 257;
      open.server.receive(octets(23, 3, 3, length >> 8, length));
      expect(open.server.error?.alertSent).toBe("record_overflow");
    }
    const inner = forged();
    inner.seal(23, new Uint8Array(16_385));
    expect(inner.pair.server.error?.alertSent).toBe("record_overflow");
    const whole = forged();
    whole.seal(23, new Uint8Array(16_384));
    expect(whole.pair.server.error).toBeUndefined();
  });
  it("48. unknown types, and records of padding only", () => {
    for (const type of [0, 19, 24, 255]) {
      const { server } = newPair();
      server.receive(plain(type, octets(1)));
      expect(server.error?.alertSent).toBe("unexpected_message");
      const inside = forged();
      inside.seal(type, octets());
      expect(inside.pair.server.error?.alertSent, `${type}`).toBe("unexpected_message");
    }
  });
  it("49. legacy_record_version is ignored", () => {
    const pair = newPair();
    const hello = pair.client.takeOutput()!;
    hello[2] = 9;
    pair.server.receive(hello);
    expectConnected(pump(pair));
  });
  it("50. empty records", () => {
    for (const type of [21, 22]) {
      const { server } = newPair();
      server.receive(plain(type, octets()));
      expect(["unexpected_message", "decode_error"]).toContain(server.error?.alertSent);
    }
    const { pair, seal } = forged();
    for (let count = 0; count < 32; count++) seal(23, octets());
    expect(pair.server.error).toBeUndefined();
    seal(23, octets());
    expect(pair.server.error).toMatchObject({ code: "ERR_TLS_LIMIT", limit: "uselessRecords" });
  });
  it("51. records that were changed or are shorter than their tag: one answer", () => {
    const said = new Set<string>();
    for (const options of [{}, tls12]) {
      for (const change of [
        (one: Uint8Array) => ((one[5]! ^= 1), one),
        (one: Uint8Array) => ((one[one.length - 1]! ^= 1), one),
        () => plain(23, new Uint8Array(8)),
        () => plain(23, octets()),
      ]) {
        const pair = connect(options);
        pair.client.send(utf8("order"));
        pair.server.receive(change(pair.client.takeOutput()!));
        expect(pair.server.error).toMatchObject({ code: "ERR_TLS_BAD_RECORD_MAC", alertSent: "bad_record_mac" });
        said.add(pair.server.error!.message);
      }
    }
    expect(said.size).toBe(1);
  });
  it("52. nonces count, and are explicit in TLS 1.2 with AES-GCM only", () => {
    const pair = connect(tls12);
    const numbers = [1, 2, 3].map(() => {
      pair.client.send(utf8("order"));
      return Buffer.from(pair.client.takeOutput()!.subarray(5, 13)).toString("hex");
    });
    expect(numbers).toEqual(["0000000000000001", "0000000000000002", "0000000000000003"]);
  });
  it("53. keys are updated before their limit, and TLS 1.2 closes", () => {
    const limits = { recordsPerKey: 4 };
    const pair = connect({ client: { limits } });
    for (let count = 0; count < 20; count++) {
      pair.client.send(utf8("x"));
      pump(pair);
    }
    expect(dataOf(pair.serverEvents)).toBe("x".repeat(20));
    expect(pair.serverEvents.filter(({ type }) => type === "keyUpdate").length).toBeGreaterThan(4);
    const reading = connect({ server: { limits } });
    for (let count = 0; count < 20; count++) {
      reading.client.send(utf8("x"));
      pump(reading);
    }
    expect(reading.server.error).toBeUndefined();
    expect(reading.clientEvents.some((event) => event.type === "keyUpdate" && event.direction === "write")).toBe(true);
    const old = connect({ client: { versions: ["TLSv1.2"], limits } });
    for (let count = 0; count < 9 && old.client.phase === "open"; count++) old.client.send(utf8("x"));
    pump(old);
    expect(old.serverEvents.at(-1)).toEqual({ type: "peerClosed" });
  });
  it("54. additional data is exact", () => {
    // RFC 8448's record is opened with its own header only: see rfc8448.test.ts. Here TLS 1.2: type and version count.
    for (const cipherSuites of [undefined, ["TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256"] as const]) {
      for (const [at, octet] of [
        [0, 22],
        [2, 1],
      ] as const) {
        const pair = connect({ client: { versions: ["TLSv1.2"], ...(cipherSuites && { cipherSuites }) } });
        pair.client.send(utf8("order"));
        const record = pair.client.takeOutput()!;
        record[at] = octet;
        pair.server.receive(record);
        expect(pair.server.error?.alertSent).toBe("bad_record_mac");
      }
    }
  });
  it("55. padding comes off from the right, zeros of data stay", () => {
    const { pair, seal } = forged();
    seal(23, octets(65, 0, 0), 1000);
    pump(pair);
    expect(dataOf(pair.serverEvents)).toBe("A\0\0");
  });
  it("56. no plaintext before the tag is checked", () => {
    const pair = connect();
    pair.client.send(utf8("order"));
    const record = pair.client.takeOutput()!;
    record[record.length - 1]! ^= 1;
    pair.server.receive(record);
    pump(pair);
    expect(dataOf(pair.serverEvents)).toBe("");
  });
});

describe("alerts, floods, ends", () => {
  it("57. warning alerts", () => {
    const { server } = newPair();
    for (let count = 0; count < 4; count++) server.receive(plain(21, octets(1, 100)));
    expect(server.error).toBeUndefined();
    server.receive(plain(21, octets(1, 100)));
    expect(server.error).toMatchObject({ code: "ERR_TLS_LIMIT", limit: "warningAlerts" });
    const { pair, seal } = forged();
    seal(21, octets(1, 100));
    expect(pair.server.error).toMatchObject({ code: "ERR_TLS_ALERT_RECEIVED", alertReceived: "no_renegotiation" });
    const odd = forged();
    odd.seal(21, octets(3, 40));
    expect(odd.pair.server.error?.alertSent).toBe("illegal_parameter");
    const long = forged();
    long.seal(21, octets(1, 0, 0));
    expect(long.pair.server.error?.alertSent).toBe("decode_error");
  });
  it("58. KeyUpdate: value, number, end of its record", () => {
    const value = connect();
    (value.client as Connection).sendPostHandshake("key_update", octets(2));
    pump(value);
    expect(value.server.error?.alertSent).toBe("illegal_parameter");
    const pair = connect({ server: { limits: { uselessRecords: 1000 } } });
    for (let count = 0; count < 33; count++) pair.client.updateKeys();
    pump(pair);
    expect(pair.server.error).toMatchObject({ code: "ERR_TLS_LIMIT", limit: "keyUpdates" });
    const { pair: behind, seal } = forged();
    seal(22, octets(24, 0, 0, 1, 0, 24, 0));
    expect(behind.server.error?.alertSent).toBe("unexpected_message");
  });
  it("58. RFC 8446 §4.6.3: all requests that come to a silent side are answered by one KeyUpdate, before its next data", () => {
    const { client, server } = connect({ server: { limits: { recordsPerKey: 4 } } });
    const types = (engine: TlsEngine): string[] => {
      const all = [];
      for (let event = engine.next(); event !== undefined; event = engine.next()) {
        all.push(event.type === "keyUpdate" ? event.direction : event.type);
      }
      return all;
    };
    types(client);
    const request = (): void => {
      client.updateKeys(true);
      server.receive(client.takeOutput()!);
      types(client);
    };
    for (let count = 0; count < 3; count++) {
      request();
      expect([types(server), server.takeOutput()]).toEqual([["read"], undefined]);
    }
    server.send(utf8("one"));
    server.send(utf8("two"));
    client.receive(server.takeOutput()!);
    expect([types(server), types(client)]).toEqual([["write"], ["read", "data", "data"]]);
    // A request of one's own is no answer.
    request();
    server.updateKeys(true);
    server.send(utf8("three"));
    client.receive(server.takeOutput()!);
    expect(types(client)).toEqual(["read", "read", "data"]);
    // The answer is one record of the old key, which has room for it: the limit is kept to.
    for (let count = 0; count < 12; count++) {
      if (count % 3 === 2) request();
      server.send(utf8("more"));
    }
    client.receive(server.takeOutput()!);
    expect(types(client).filter((type) => type === "data")).toHaveLength(12);
    // Nothing is owed to a peer that nothing more is sent to.
    request();
    server.close();
    client.receive(server.takeOutput()!);
    expect([client.error, types(client)]).toEqual([undefined, ["peerClosed"]]);
  });
  it("59. useless records of any kind are counted together", () => {
    const { pair, seal } = forged({ server: { limits: { warningAlerts: 100 } } });
    for (let count = 0; count < 17; count++) {
      seal(21, octets(1, 90));
      seal(23, octets());
    }
    expect(pair.server.error).toMatchObject({ code: "ERR_TLS_LIMIT", limit: "uselessRecords" });
  });
  it("59. a ticket is not useless", () => {
    const tickets = new TicketKeys({ provider: nodeProvider });
    const options: PairOptions = { server: { tickets, ticketCount: 2 }, client: { limits: { uselessRecords: 1 } } };
    const pair = connect(options);
    expectConnected(pair);
    expect(pair.clientEvents.filter(({ type }) => type === "session")).toHaveLength(2);
  });
  it("60. an end without close_notify is a truncation", () => {
    const pair = connect();
    pair.server.receiveEnd();
    expect(pair.server.error?.code).toBe("ERR_TLS_TRUNCATED");
    const closed = connect();
    closed.client.close();
    pump(closed);
    closed.server.receiveEnd();
    expect(closed.server.error).toBeUndefined();
  });
  it("61. one fatal alert, nothing after it, never in clear under keys", () => {
    const pair = connect();
    pair.server.receive(plain(24, octets(1)));
    const alert = pair.server.takeOutput()!;
    expect([alert[0], alert.length]).toEqual([23, 5 + 2 + 1 + 16]);
    pair.server.receive(plain(24, octets(1)));
    pair.server.abort();
    pair.server.close();
    expect(pair.server.takeOutput()).toBeUndefined();
    expect(() => pair.server.send(utf8("x"))).toThrow("failed");
  });
  it("61. an alert in clear, close_notify above all, counts only before the peer has keys", () => {
    for (const side of ["client", "server"] as const) {
      for (const content of [octets(1, 0), octets(2, 40)]) {
        const pair = connect();
        pair[side].receive(plain(21, content));
        expect(pair[side].error).toMatchObject({ code: "ERR_TLS_UNEXPECTED_MESSAGE", alertSent: "unexpected_message" });
        const updated = connect();
        updated[side === "client" ? "server" : "client"].updateKeys();
        pump(updated);
        updated[side].receive(plain(21, content));
        expect(updated[side].error?.code).toBe("ERR_TLS_UNEXPECTED_MESSAGE");
      }
    }
    const early = newPair();
    early.server.receive(early.client.takeOutput()!);
    early.server.receive(plain(21, octets(2, 48)));
    expect(early.server.error).toMatchObject({ code: "ERR_TLS_ALERT_RECEIVED", alertReceived: "unknown_ca" });
  });
  it("62. early data is skipped up to its limit", () => {
    for (const size of [1000, 20_000]) {
      const { options } = resumable();
      const pair = newPair({
        ...options,
        clientHooks: editClientHello((hello) => hello.extensions.splice(-1, 0, [42, octets()])),
      });
      pair.server.receive(pair.client.takeOutput()!);
      for (let sent = 0; sent < size && pair.server.error === undefined; sent += 500)
        pair.server.receive(plain(23, new Uint8Array(500)));
      if (size < 16_384) expect(pair.server.error?.code).toBe("ERR_TLS_BINDER");
      else expect(pair.server.error).toBeDefined();
    }
    const offered = newPair({ clientHooks: editClientHello((hello) => setExtension(hello, "early_data", octets())) });
    offered.server.receive(offered.client.takeOutput()!);
    for (let count = 0; count < 30; count++) offered.server.receive(plain(23, new Uint8Array(500)));
    expectConnected(pump(offered));
    const flooded = newPair({ clientHooks: editClientHello((hello) => setExtension(hello, "early_data", octets())) });
    flooded.server.receive(flooded.client.takeOutput()!);
    for (let count = 0; count < 40; count++) flooded.server.receive(plain(23, new Uint8Array(500)));
    expect(flooded.server.error).toMatchObject({ code: "ERR_TLS_LIMIT", limit: "skippedEarlyDataOctets" });
  });
  it("63. buffers are bounded in both directions, also while an answer is awaited", () => {
    const pair = newPair({ server: { credentials: "ask" } });
    pair.server.receive(pair.client.takeOutput()!);
    expect(pair.server.next()).toMatchObject({ type: "need", need: "credential" });
    for (let count = 0; count < 20; count++) pair.server.receive(plain(23, new Uint8Array(16_384)));
    expect(pair.server.error).toMatchObject({ code: "ERR_TLS_LIMIT", limit: "waitingInputOctets" });
    const open = connect();
    let taken = 0;
    for (let count = 0; count < 100; count++) taken += open.client.send(new Uint8Array(100_000));
    expect(taken).toBeLessThan(3_000_000);
    expect(open.client.send(new Uint8Array(10))).toBe(0);
  });
});

describe("tickets, secrets, randomness", () => {
  it("64, 65. tickets: keys, lifetime, name, version, client authentication", () => {
    const { options, tickets } = resumable();
    const again = (changes: PairOptions): Pair =>
      pump(
        newPair({
          ...options,
          client: { ...options.client, ...changes.client },
          server: { ...options.server, ...changes.server },
        }),
      );
    expect(again({}).server.info?.isResumption).toBe(true);
    expect(again({ server: { tickets: new TicketKeys({ provider: nodeProvider }) } }).server.info?.isResumption).toBe(
      false,
    );
    expect(again({ server: { clock: () => identities.now + 7201_000 } }).server.info?.isResumption).toBe(false);
    expect(again({ server: { clientAuthentication: "none" } }).server.info?.isResumption).toBe(false);
    expect(again({ client: { versions: ["TLSv1.2"] } }).server.info?.isResumption).toBe(false);
    expect(
      again({ server: { cipherSuites: ["TLS_AES_256_GCM_SHA384"], versions: ["TLSv1.3"] } }).server.info?.isResumption,
    ).toBe(false);
    const session = options.client?.session;
    expect(parseSession(session!.serialize()).serialize()).toEqual(session!.serialize());
    expect(tickets.open(new Uint8Array(10))).toBeUndefined();
    const ticket = tickets.seal(octets(1, 2, 3));
    for (let index = 0; index < ticket.length; index++) {
      const changed = ticket.slice();
      changed[index]! ^= 1;
      expect(tickets.open(changed)).toBeUndefined();
    }
    const renamed = resumable({ server: { acceptsServerName: () => true } });
    const other = editClientHello((hello) =>
      setExtension(hello, "server_name", octets(0, 9, 0, 0, 6, 0x61, 0x2e, 0x62, 0x2e, 0x63, 0x64)),
    );
    expect(pump(newPair({ ...renamed.options, clientHooks: other })).server.info?.isResumption ?? false).toBe(false);
  });
  it("66. session ids: 1.3 echoes, 1.2 has none of its own", () => {
    const ids: Uint8Array[] = [];
    const hooks = {
      clientHooks: editClientHello((hello) => ids.push(hello.sessionId)),
      serverHooks: editServerHello((hello) => ids.push(hello.sessionId)),
    };
    connect(hooks);
    expect(ids[0]).toEqual(ids[1]);
    connect({ ...tls12, ...hooks });
    expect(ids[3]).toHaveLength(0);
    expect(ids[2]).toHaveLength(0);
    expectClient((hello) => (hello.sessionId = octets(1, 2)), "illegal_parameter");
    const tickets = new TicketKeys({ provider: nodeProvider });
    const event = connect({ ...tls12, server: { tickets } }).clientEvents.find(({ type }) => type === "session");
    const session = event?.type === "session" ? event.session : undefined;
    connect({ client: { ...tls12.client, session }, server: { tickets }, ...hooks });
    expect(ids.at(-1)).toHaveLength(32);
    expect(ids.at(-1)).toEqual(ids.at(-2));
    const echo: Uint8Array[] = [];
    const lying: PairOptions = {
      server: { versions: ["TLSv1.2"] },
      clientHooks: editClientHello((hello) => echo.push(hello.sessionId)),
      serverHooks: editServerHello((hello) => (hello.sessionId = echo[0]!)),
    };
    expect(refusal(lying, "client").alertSent).toBe("illegal_parameter");
  });
  it("67. the secrets of a connection go with it: nothing is exported any more", () => {
    for (const options of [{}, tls12]) {
      const { client, server } = connect(options);
      client.close();
      server.receive(client.takeOutput()!);
      server.abort();
      client.receive(server.takeOutput()!);
      for (const engine of [client, server]) {
        expect(["closed", "failed"]).toContain(engine.phase);
        expect(() => engine.exportKeyingMaterial(16, "EXPORTER-test")).toThrow("not in phase");
      }
    }
  });
  it("67. randoms differ, and no secret shows in errors, traces or inspection", () => {
    const randoms = new Set<string>();
    const trace: TraceEvent[] = [];
    const secrets: string[] = [];
    const keep = (line: string): void => void secrets.push(line.split(" ")[2]!);
    const note = (hello: EditableHello): void => void randoms.add(Buffer.from(hello.random).toString("hex"));
    const shown: string[] = [];
    for (const options of [{}, tls12]) {
      const tickets = new TicketKeys({ provider: nodeProvider });
      const pair = connect({
        client: { ...(options as PairOptions).client, trace: (event) => trace.push(event), keyLog: keep },
        server: { trace: (event) => trace.push(event), keyLog: keep, tickets },
        clientHooks: editClientHello(note),
        serverHooks: editServerHello(note),
      });
      expectConnected(pair);
      const session = pair.clientEvents.find(({ type }) => type === "session");
      if (session?.type === "session") {
        const inner = session.session.serialize();
        secrets.push(Buffer.from(inner.subarray(6, 6 + inner[5]!)).toString("hex"));
      }
      const options2 = { depth: 20, showHidden: true, maxArrayLength: null } as const;
      shown.push(
        inspect(pair.client, options2),
        inspect(pair.server, options2),
        inspect(pair.clientEvents, options2),
        inspect(tickets, options2),
      );
      pair.server.receive(plain(24, octets(1)));
      shown.push(inspect(pair.server.error, options2), JSON.stringify(pair.server.error));
    }
    shown.push(JSON.stringify(trace), inspect(trace, { depth: 20 }));
    expect(randoms.size).toBe(4);
    expect(secrets.length).toBeGreaterThan(10);
    for (const text of shown) {
      for (const secret of secrets) {
        expect(text.includes(secret)).toBe(false);
        const spaced = secret.match(/../g)!.slice(0, 6);
        expect(text.includes(spaced.join(" "))).toBe(false);
        expect(text.includes(spaced.map((one) => Number.parseInt(one, 16)).join(", "))).toBe(false);
      }
    }
  });
  it("68. verify data is compared whole, after a check of its length", () => {
    const expected = octets(1, 2, 3);
    expect(FinishedVerified.isProof(FinishedVerified.check(expected.slice(), expected))).toBe(true);
    expect(() => FinishedVerified.check(expected.slice(), octets(1, 2))).toThrow("octets");
    expect(() => FinishedVerified.check(expected.slice(), octets(9, 2, 3))).toThrow("does not fit");
    expect(FinishedVerified.isProof({})).toBe(false);
  });
  it("69. names of the language's own objects mean nothing in a peer's text", () => {
    const names = ["__proto__", "constructor", "toString"];
    const verifier = chainPeerVerifier({ provider: nodeProvider, trustAnchors: [identities.root.certificate] });
    for (const name of names) {
      const pair = connect({ client: { alpn: [name], verifier }, server: { alpn: ["mqtt"] } });
      expect(pair.server.error?.alertSent).toBe("no_application_protocol");
    }
  });
});
