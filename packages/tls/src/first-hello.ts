/** What a server knows once the version is chosen. */

import type { HandshakeMessage } from "./handshake-input.ts";
import type { ClientHello } from "./messages/client-hello.ts";

/** What a server knows after the first ClientHello. */
export interface FirstHello {
  readonly hello: ClientHello;
  readonly message: HandshakeMessage;
  readonly serverName: string | undefined;
  readonly alpnProtocol: string | undefined;
}
