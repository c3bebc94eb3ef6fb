/** Making connections. */

import { clientHandshake } from "./client-handshake.ts";
import { type ClientConfig, type ServerConfig, settingsOf } from "./config.ts";
import { Connection } from "./connection.ts";
import { noHooks, type OutgoingHooks } from "./outgoing.ts";
import type { TlsEngine } from "./engine.ts";
import { argument } from "./errors.ts";
import { serverHandshake } from "./server-handshake.ts";

/**
 * A client's end of a new connection. Its ClientHello is in the output at once.
 *
 * Throws `ERR_TLS_ARGUMENT` for a config that cannot work.
 */
export function createTlsClient(config: ClientConfig): TlsEngine {
  return clientWithHooks(config, noHooks);
}

/** A server's end of a new connection. Throws `ERR_TLS_ARGUMENT` for a config that cannot work. */
export function createTlsServer(config: ServerConfig): TlsEngine {
  return serverWithHooks(config, noHooks);
}

/** A client whose messages a test may change. Not public. */
export function clientWithHooks(config: ClientConfig, hooks: OutgoingHooks): TlsEngine {
  if (config.serverName !== undefined && !isName(config.serverName)) {
    throw argument("The server name is a DNS name in ASCII without a trailing dot, or an IP address");
  }
  const connection = new Connection("client", settingsOf(config), hooks);
  connection.begin(clientHandshake(connection, config));
  return connection;
}

/** A server whose messages a test may change. Not public. */
export function serverWithHooks(config: ServerConfig, hooks: OutgoingHooks): TlsEngine {
  if (config.clientAuthentication !== "none" && config.verifier === undefined) {
    throw argument("A server that asks for certificates needs a verifier that checks them");
  }
  const { ticketCount = 1, ticketLifetimeSeconds = 0 } = config;
  // The number of a ticket is one octet of its nonce (RFC 8446 §4.6.1).
  if (!Number.isInteger(ticketCount) || ticketCount < 0 || ticketCount > 255) throw argument("ticketCount is 0 to 255");
  if (!Number.isInteger(ticketLifetimeSeconds) || ticketLifetimeSeconds < 0) {
    throw argument("ticketLifetimeSeconds is a whole number of seconds");
  }
  const connection = new Connection("server", settingsOf(config), hooks);
  connection.begin(serverHandshake(connection, config));
  return connection;
}

function isName(name: string): boolean {
  return name.length > 0 && name.length <= 253 && /^[A-Za-z0-9._:-]+$/.test(name) && !name.endsWith(".");
}
