/** What a server chose, seen by the client: what both versions have in common. */

import type { CipherSuite } from "./cipher-suite.ts";
import type { Offer } from "./client-hello-offer.ts";
import type { Connection } from "./connection.ts";
import { illegalParameter } from "./errors.ts";
import type { ExtensionList } from "./extension-list.ts";
import { protocolNames, protocolText } from "./extension-values.ts";
import type { HandshakeMessage } from "./handshake-input.ts";
import type { ServerHello } from "./messages/server-hello.ts";

/** What a client knows after the ServerHello that counts. */
export interface Chosen {
  readonly offer: Offer;
  /** Numbers of the extensions that were offered. */
  readonly offered: ReadonlySet<number>;
  readonly message: HandshakeMessage;
  readonly hello: ServerHello;
  readonly suite: CipherSuite;
  readonly wasRetried: boolean;
}

/** The protocol that the server chose (RFC 7301 §3.1): one, and one that was offered. */
export function selectedProtocol(connection: Connection, extensions: ExtensionList): string | undefined {
  const names = protocolNames(extensions);
  if (names === undefined) return undefined;
  const [name, ...more] = names.map(protocolText);
  if (name !== undefined && more.length === 0 && connection.settings.alpn.includes(name)) return name;
  throw illegalParameter("The server chose an application protocol that was not offered", "RFC 7301 §3.1", {
    found: [name, ...more].slice(0, 4).join(", "),
    allowed: connection.settings.alpn.join(", "),
  });
}

/** RFC 6066 §3: a server answers server_name by an empty value. */
export function checkNameAnswer(extensions: ExtensionList): void {
  extensions.isSet("server_name");
}
