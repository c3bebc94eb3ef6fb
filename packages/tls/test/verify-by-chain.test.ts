/** What a verifier remembers of chains that it has accepted, and that it spares only work, never a check. */

import type { CryptoProvider } from "@latchkey/crypto";
import { nobleProvider } from "@latchkey/crypto/noble";
import { nodeProvider } from "@latchkey/crypto/node";
import { describe, expect, it } from "vitest";
import { chainPeerVerifier, keyCredential, type PeerVerifier, type ServerConfig, TicketKeys } from "../src/index.ts";
import { device, newDevice, now, root } from "./identities.ts";
import { connect, type Pair } from "./pair.ts";

/** How often a server has read a key of a certificate, and checked a signature. */
class Counts {
  keys = 0;
  signatures = 0;
  readonly provider: CryptoProvider = {
    ...nodeProvider,
    importSpki: (der) => {
      const key = nodeProvider.importSpki(der);
      if (key.algorithm.name === "ec") this.keys++;
      return key;
    },
    verify: (...check) => {
      this.signatures++;
      return nodeProvider.verify(...check);
    },
  };
}

describe.each(["TLSv1.3", "TLSv1.2"] as const)("%s", (version) => {
  function handshake(server: Partial<ServerConfig>, client = device): Pair {
    return connect({ client: { versions: [version], credentials: [client.credential] }, server });
  }

  function verifierOf(provider: CryptoProvider, rememberedChains?: number): PeerVerifier {
    const remembered = rememberedChains === undefined ? {} : { rememberedChains };
    return chainPeerVerifier({ provider, trustAnchors: [root.certificate], ...remembered });
  }

  it("a client that comes again costs one signature, and its certificate is not read", () => {
    const counts = new Counts();
    const { provider } = counts;
    const server = { provider, verifier: verifierOf(provider) };
    // The keys are the authority's and the client's.
    for (const expected of [
      { keys: 2, signatures: 2 },
      { keys: 2, signatures: 3 },
      { keys: 2, signatures: 4 },
    ]) {
      expect(handshake(server).server.info?.peerCertificates).toEqual([device.certificate.encoding]);
      expect(counts).toMatchObject(expected);
    }
  });

  it("a chain that was accepted at a resumption first gets its key with the next full handshake", () => {
    const tickets = new TicketKeys({ provider: nodeProvider });
    const first = connect({ client: { versions: [version] }, server: { tickets } });
    const [session] = first.clientEvents.flatMap((event) => (event.type === "session" ? [event.session] : []));
    const counts = new Counts();
    const { provider } = counts;
    const server = { provider, verifier: verifierOf(provider), tickets };
    expect(connect({ client: { versions: [version], session }, server }).server.info?.isResumption).toBe(true);
    handshake(server);
    const { keys } = counts;
    handshake(server);
    expect(counts.keys).toBe(keys);
  });

  it("with nothing remembered each client is as the first", () => {
    const counts = new Counts();
    const { provider } = counts;
    const server = { provider, verifier: verifierOf(provider, 0) };
    for (let count = 1; count <= 3; count++) {
      handshake(server);
      expect(counts).toMatchObject({ keys: 1 + count, signatures: 2 * count });
    }
  });

  it("who presents a remembered certificate without its key is refused", () => {
    const verifier = verifierOf(nodeProvider);
    expect(handshake({ verifier }).server.phase).toBe("open");
    const thief = newDevice(root);
    const credential = keyCredential({
      provider: nodeProvider,
      privateKey: thief.keys.privateKey,
      chain: [device.certificate.encoding],
    });
    const { server } = handshake({ verifier }, { ...thief, credential });
    expect(server.error?.code).toBe("ERR_TLS_SIGNATURE");
  });

  it("a remembered chain is refused once it has expired", () => {
    const verifier = verifierOf(nodeProvider);
    const shortLived = newDevice(root, "p256", 1);
    expect(handshake({ verifier }, shortLived).server.phase).toBe("open");
    const { server } = handshake({ verifier, clock: () => now + 2 * 86_400_000 }, shortLived);
    expect(server.error?.alertSent).toBe("certificate_expired");
  });

  it("a key is not handed to the engine of another provider", () => {
    const verifier = verifierOf(nodeProvider);
    expect(handshake({ verifier }).server.phase).toBe("open");
    const client = { versions: [version], verifier, provider: nobleProvider, credentials: [] };
    // The same verifier on both sides: what it knows of the server is noble's, then node:crypto's.
    for (const provider of [nobleProvider, nodeProvider, nobleProvider]) {
      const pair = connect({ client: { ...client, provider }, server: { clientAuthentication: "none" } });
      expect([pair.client.error, pair.server.error]).toEqual([undefined, undefined]);
    }
  });
});
