/** A server's handshake up to the choice of the version (RFC 8446 §4.1.1, §4.2.1). */

import { signalling } from "./cipher-suite.ts";
import type { ServerConfig } from "./config.ts";
import type { Connection } from "./connection.ts";
import type { Established, Handshake } from "./handshake-run.ts";
import { TlsError } from "./errors.ts";
import { offeredServerName, offeredVersions, protocolNames, protocolText } from "./extension-values.ts";
import type { FirstHello } from "./first-hello.ts";
import { type ClientHello, readClientHello } from "./messages/client-hello.ts";
import { allVersions, type ProtocolVersion, versionNumber, versionText } from "./protocol-version.ts";
import { serverTls12 } from "./server-tls12.ts";
import { serverTls13 } from "./server-tls13.ts";

/** Reads the ClientHello, chooses the version, and goes on in it. */
export function* serverHandshake(connection: Connection, config: ServerConfig): Handshake<Established> {
  const message = yield* connection.receiveMessage("serverWaitClientHello");
  const hello = readClientHello(message.body);
  const version = chooseVersion(connection, hello);
  connection.version = version;
  const serverName = offeredServerName(hello.extensions);
  if (serverName !== undefined && config.acceptsServerName?.(serverName) === false) {
    throw new TlsError("ERR_TLS_SERVER_NAME", "This server has not the name that the client wants", {
      alert: "unrecognized_name",
      found: serverName,
      clause: "RFC 6066 §3",
    });
  }
  const first: FirstHello = { hello, message, serverName, alpnProtocol: chooseProtocol(connection, hello) };
  return version === "TLSv1.3"
    ? yield* serverTls13(connection, config, first)
    : yield* serverTls12(connection, config, first);
}

function chooseVersion(connection: Connection, hello: ClientHello): ProtocolVersion {
  const { versions } = connection.settings;
  const listed = offeredVersions(hello.extensions);
  // RFC 8446 §4.2.1: supported_versions decides; without it TLS 1.2 is the newest there is.
  const offered = listed ?? [Math.min(hello.legacyVersion, versionNumber["TLSv1.2"])];
  const version = allVersions.find((one) => versions.includes(one) && offered.includes(versionNumber[one]));
  // RFC 8446 §D.5: SSL 3.0 MUST NOT be negotiated, whatever else is offered with it.
  if (version === undefined || hello.legacyVersion <= 0x0300) {
    throw new TlsError("ERR_TLS_VERSION", "No common version", {
      alert: "protocol_version",
      found: offered.slice(0, 8).map(versionText).join(", "),
      allowed: versions.join(", "),
      clause: "RFC 8446 §4.2.1",
    });
  }
  // RFC 7507 §3: a client that fell back, although this side can do more.
  if (hello.cipherSuites.includes(signalling.fallback) && version !== versions[0]) {
    throw new TlsError("ERR_TLS_INAPPROPRIATE_FALLBACK", "The client fell back to an older version than both can do", {
      alert: "inappropriate_fallback",
      found: version,
      allowed: versions[0],
      clause: "RFC 7507 §3",
    });
  }
  return version;
}

/** RFC 7301 §3.2: one of the client's names, or the connection ends; nothing where either side does not speak ALPN. */
function chooseProtocol(connection: Connection, hello: ClientHello): string | undefined {
  const { alpn } = connection.settings;
  const names = protocolNames(hello.extensions);
  if (names === undefined || alpn.length === 0) return undefined;
  const offered = new Set(names.map(protocolText));
  const chosen = alpn.find((name) => offered.has(name));
  if (chosen !== undefined) return chosen;
  throw new TlsError("ERR_TLS_NO_APPLICATION_PROTOCOL", "No common application protocol", {
    alert: "no_application_protocol",
    found: [...offered].slice(0, 8).join(", "),
    allowed: alpn.join(", "),
    clause: "RFC 7301 §3.2",
  });
}
