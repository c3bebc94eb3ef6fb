/** The engine on pure JavaScript, as in a browser, alone and with the node provider on the other side. */

import { nobleProvider } from "@latchkey/crypto/noble";
import { nodeProvider } from "@latchkey/crypto/node";
import { describe, expect, it } from "vitest";
import { chainPeerVerifier, keyCredential, TicketKeys } from "../src/index.ts";
import { device, root, server } from "./identities.ts";
import { connect, dataOf, pump, utf8 } from "./pair.ts";

const privateKey = (keys: typeof device.keys): typeof device.keys.privateKey =>
  nobleProvider.importPkcs8(nodeProvider.exportPkcs8(keys.privateKey));
const credential = (one: typeof device): typeof device.credential =>
  keyCredential({ provider: nobleProvider, privateKey: privateKey(one.keys), chain: [one.certificate.encoding] });
const common = {
  provider: nobleProvider,
  verifier: chainPeerVerifier({ provider: nobleProvider, trustAnchors: [root.certificate.encoding] }),
};

describe.each(["TLSv1.3", "TLSv1.2"] as const)("%s", (version) => {
  it.each([
    ["client", { client: { ...common, credentials: [credential(device)] } }],
    [
      "server",
      {
        server: { ...common, credentials: [credential(server)], tickets: new TicketKeys({ provider: nobleProvider }) },
      },
    ],
  ] as const)("noble as %s", (_role, options) => {
    const settings = options as { client?: object; server?: object };
    const pair = connect({
      client: { ...settings.client, versions: [version] },
      ...("server" in options ? options : {}),
    });
    expect([pair.client.error?.message, pair.server.error?.message]).toEqual([undefined, undefined]);
    pair.client.send(utf8("one pizza"));
    pump(pair);
    expect(dataOf(pair.serverEvents)).toBe("one pizza");
  });
});
