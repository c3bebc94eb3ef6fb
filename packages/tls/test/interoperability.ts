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
  readonly withServer: typeof peers.withNodeServer;
  readonly answer: RegExp;
}

const all: readonly Peer[] = [
  {
    name: "node:tls",
    missing: undefined,
    sampleStep: 43,
    asClient: peers.nodeAgainstUs,
    withServer: peers.withNodeServer,
    answer: peers.answers.node,
  },
  {
    name: "openssl",
    missing: peers.openssl.path === undefined ? peers.openssl.skipReason : undefined,
    sampleStep: 101,
    asClient: peers.opensslAgainstUs,
    withServer: peers.withOpensslServer,
    answer: peers.answers.openssl,
  },
  {
    name: "GnuTLS",
    missing: peers.gnutlsServer.path === undefined ? peers.gnutlsServer.skipReason : undefined,
    sampleStep: 151,
    asClient: peers.gnutlsAgainstUs,
    withServer: peers.withGnutlsServer,
    answer: peers.answers.gnutls,
  },
];

function label({ suite, group, scheme, clientAuthentication }: Combination): string {
  return `${suite.name} ${group} ${scheme} ${clientAuthentication}`;
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
                peerScheme: one.clientAuthentication === "none" ? undefined : one.scheme,
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
            const { stream } = await peer.withServer(one, parties, (port) =>
              peers.ourClient(port, peers.ourClientConfig(one, parties), peer.answer),
            );
            expect(stream.info).toMatchObject({
              cipherSuite: one.suite.name,
              group: one.group,
              version: one.suite.version,
              peerScheme: one.scheme,
            });
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
