/** Resumption and HelloRetryRequest with openssl, GnuTLS and node:tls, both ways; exporters; how many of them there were. */

import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TLSSocket } from "node:tls";
import { nodeProvider } from "@latchkey/crypto/node";
import { afterAll, describe, expect, it } from "vitest";
import { suiteByNumber } from "../src/cipher-suite.ts";
import { type ResumableSession, TicketKeys } from "../src/index.ts";
import type { TlsStream } from "../src/node.ts";
import { type Combination, writeParties } from "./combinations.ts";
import * as peers from "./peers.ts";

const parties = writeParties();
const folder = mkdtempSync(join(tmpdir(), "latchkey-tls-"));
const versions = ["TLSv1.3", "TLSv1.2"] as const;

function combination(version: "TLSv1.2" | "TLSv1.3", group: Combination["group"] = "x25519"): Combination {
  const suite = suiteByNumber(version === "TLSv1.3" ? 0x1301 : 0xc02b)!;
  return { suite, group, scheme: "ecdsa_secp256r1_sha256", clientAuthentication: "require" };
}

interface Peer {
  readonly name: string;
  readonly missing: string | undefined;
  /** Connects twice, the second time by the session of the first. */
  readonly resumesAtOurs: (port: number, one: Combination) => Promise<void>;
  /** Connects with a share of x25519, and offers P-256. */
  readonly isRetriedByOurs: (port: number, one: Combination) => Promise<string>;
  readonly withServer: typeof peers.withNodeServer;
  readonly answer: RegExp;
}

const all: readonly Peer[] = [
  {
    name: "node:tls",
    missing: undefined,
    resumesAtOurs: async (port, one) => {
      let session: Buffer | undefined;
      const seen = (socket: TLSSocket): void => void socket.on("session", (given: Buffer) => (session = given));
      await peers.nodeAgainstUs(port, one, parties, {}, seen);
      await peers.nodeAgainstUs(port, one, parties, { session: session! }, seen);
    },
    isRetriedByOurs: (port, one) => peers.nodeAgainstUs(port, one, parties, { ecdhCurve: "X25519:P-256" }),
    withServer: peers.withNodeServer,
    answer: peers.answers.node,
  },
  {
    name: "openssl",
    missing: peers.openssl.path === undefined ? peers.openssl.skipReason : undefined,
    resumesAtOurs: async (port, one) => {
      const file = join(folder, `session-${one.suite.version}.pem`);
      await peers.opensslAgainstUs(port, one, parties, ["-sess_out", file]);
      await peers.opensslAgainstUs(port, one, parties, ["-sess_in", file]);
    },
    // The last -curves counts; its first one gets the key share.
    isRetriedByOurs: (port, one) => peers.opensslAgainstUs(port, one, parties, ["-curves", "X25519:P-256"]),
    withServer: peers.withOpensslServer,
    answer: peers.answers.openssl,
  },
  {
    name: "GnuTLS",
    missing: peers.gnutlsServer.path === undefined ? peers.gnutlsServer.skipReason : undefined,
    // One run connects twice. In TLS 1.3 it has to wait for the ticket.
    resumesAtOurs: async (port, one) => {
      const wait = one.suite.version === "TLSv1.3" ? ["--waitresumption"] : [];
      expect(await peers.gnutlsAgainstUs(port, one, parties, ["--resume", ...wait])).toContain(
        "This is a resumed session",
      );
    },
    isRetriedByOurs: (port, one) => {
      const priority = peers.gnutlsPriority(one, ["x25519", "secp256r1"]);
      return peers.gnutlsAgainstUs(port, one, parties, ["--single-key-share"], priority);
    },
    withServer: peers.withGnutlsServer,
    answer: peers.answers.gnutls,
  },
];

describe.each(all.map((peer) => [peer.name, peer] as const))("%s", (name, peer) => {
  const skips = peer.missing !== undefined;
  const done = { resumed: 0, retried: 0 };

  it.skipIf(skips).each(versions)(`%s: resumes at our server${peer.missing ?? ""}`, async (version) => {
    const one = combination(version);
    const config = { ...peers.ourServerConfig(one, parties), tickets: new TicketKeys({ provider: nodeProvider }) };
    await peers.withOurServer(config, async (port, accepted) => {
      await peer.resumesAtOurs(port, one);
      expect(accepted.map(({ info }) => info?.isResumption)).toEqual([false, true]);
      expect(accepted[1]?.peerCertificates[0]).toEqual(accepted[0]?.peerCertificates[0]);
      expect(accepted[1]?.getPeerX509Certificate()?.subject).toBe("CN=button-1");
      expect(accepted[1]?.authorized).toBe(true);
    });
    done.resumed++;
  });

  it.skipIf(skips).each(versions)("%s: our client resumes at its server", async (version) => {
    const one = combination(version);
    await peer.withServer(one, parties, async (port) => {
      const config = peers.ourClientConfig(one, parties);
      const session = await firstSession(port, config, peer.answer);
      const { stream } = await peers.ourClient(port, { ...config, session }, peer.answer);
      expect(stream.isSessionReused()).toBe(true);
      expect(stream.peerCertificates.length).toBeGreaterThan(0);
    });
    done.resumed++;
  });

  it.skipIf(skips)("is retried by our server", async () => {
    const one = combination("TLSv1.3", "secp256r1");
    await peers.withOurServer(peers.ourServerConfig(one, parties), async (port, accepted) => {
      expect(await peer.isRetriedByOurs(port, one)).toContain("pizza for button");
      expect(accepted[0]?.info).toMatchObject({ wasRetried: true, group: "secp256r1" });
    });
    done.retried++;
  });

  it.skipIf(skips)("retries our client", async () => {
    const one = combination("TLSv1.3", "secp256r1");
    const groups = ["x25519", "secp256r1"] as const;
    const { stream } = await peer.withServer(one, parties, (port) =>
      peers.ourClient(port, { ...peers.ourClientConfig(one, parties), groups }, peer.answer),
    );
    expect(stream.info).toMatchObject({ wasRetried: true, group: "secp256r1" });
    done.retried++;
  });

  afterAll(() => {
    console.log(`${name}: resumption ${done.resumed} of 4, HelloRetryRequest ${done.retried} of 2`);
  });
});

async function firstSession(
  port: number,
  config: Parameters<typeof peers.ourClient>[1],
  answer: RegExp,
): Promise<ResumableSession> {
  const given: ResumableSession[] = [];
  const { stream } = await peers.ourClient(port, config, answer, (one) => given.push(one));
  expect(stream.isSessionReused()).toBe(false);
  const [session] = given;
  if (session === undefined) throw new Error("no session came");
  return session;
}

it.each(versions)("%s: node:tls has the same exporter", async (version) => {
  const one = combination(version);
  const ours: Buffer[] = [];
  // Before the peer can end the connection: its secrets go with it.
  const whenSecure = (stream: TlsStream): void => {
    stream.once("secureConnect", () => {
      ours.push(stream.exportKeyingMaterial(32, "EXPORTER-test", Buffer.from("x")));
    });
  };
  let exported: Buffer | undefined;
  const act = async (port: number): Promise<void> => {
    await peers.nodeAgainstUs(port, one, parties, {}, (socket) => {
      socket.on("secureConnect", () => (exported = socket.exportKeyingMaterial(32, "EXPORTER-test", Buffer.from("x"))));
    });
  };
  await peers.withOurServer(peers.ourServerConfig(one, parties), act, whenSecure);
  expect(exported).toEqual(ours[0]);
});
