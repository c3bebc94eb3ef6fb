/** The matrix: each combination with each peer, both ways. The quick test takes a sample of it, the corpora run all. */

import { afterAll, describe, expect, it } from "vitest";
import { type Combination, combinations, writeParties } from "./combinations.ts";
import * as peers from "./peers.ts";

interface Peer {
  readonly name: string;
  readonly missing: string | undefined;
  /** Every n-th combination is in the sample. */
  readonly sampleStep: number;
  readonly asClient: (port: number, one: Combination, parties: ReturnType<typeof writeParties>) => Promise<string>;
  readonly asServer: (one: Combination, parties: ReturnType<typeof writeParties>) => Promise<string>;
}

const all: readonly Peer[] = [
  {
    name: "node:tls",
    missing: undefined,
    sampleStep: 5,
    asClient: peers.nodeAgainstUs,
    asServer: peers.usAgainstNode,
  },
  {
    name: "openssl",
    missing: peers.openssl.path === undefined ? peers.openssl.skipReason : undefined,
    sampleStep: 31,
    asClient: peers.opensslAgainstUs,
    asServer: (one, parties) => peers.usAgainstOpenssl(one, parties),
  },
  {
    name: "GnuTLS",
    missing: peers.gnutlsServer.path === undefined ? peers.gnutlsServer.skipReason : undefined,
    sampleStep: 43,
    asClient: peers.gnutlsAgainstUs,
    asServer: peers.usAgainstGnutls,
  },
];

function label({ suite, group, key, clientAuthentication }: Combination): string {
  return `${suite.name} ${group} ${key} ${clientAuthentication}`;
}

/** Runs the matrix, or a sample of it, and prints how many combinations were connected. */
export function interoperability(isSample: boolean): void {
  const parties = writeParties();
  for (const peer of all) {
    describe.skipIf(peer.missing !== undefined)(
      `${peer.name}${peer.missing === undefined ? "" : ` (${peer.missing})`}`,
      () => {
        const chosen = combinations().filter((_, index) => !isSample || index % peer.sampleStep === 0);
        const done = { asClient: 0, asServer: 0 };
        it.each(chosen.map((one) => [label(one), one] as const))(
          "as client, %s",
          { timeout: 30_000 },
          async (_name, one) => {
            await peers.withOurServer(peers.ourServerConfig(one, parties), async (port, accepted) => {
              const text = await peer.asClient(port, one, parties);
              expect(text).toContain("pizza for button");
              const [stream] = accepted;
              expect(stream?.info).toMatchObject({
                cipherSuite: one.suite.name,
                group: one.group,
                version: one.suite.version,
              });
              const isExpected = one.clientAuthentication !== "none";
              // Some send their root along.
              expect((stream?.peerCertificates.length ?? 0) > 0).toBe(isExpected);
              expect(stream?.authorized).toBe(isExpected);
            });
            done.asClient++;
          },
        );
        it.each(chosen.map((one) => [label(one), one] as const))(
          "as server, %s",
          { timeout: 30_000 },
          async (_name, one) => {
            expect(await peer.asServer(one, parties)).toMatch(/pizza for button|nottub|button/);
            done.asServer++;
          },
        );
        afterAll(() => {
          console.log(
            `${peer.name}: ${done.asClient} of ${chosen.length} as client, ${done.asServer} of ${chosen.length} as server`,
          );
        });
      },
    );
  }
}
