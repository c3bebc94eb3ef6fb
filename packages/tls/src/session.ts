/**
 * What a session is resumed by: a client keeps it beside a ticket, a server inside of one.
 *
 * A session has a secret. Whoever knows the secret can resume the session in the client's name. `console.log` does not show it.
 */

import { type CipherSuite, suiteByNumber } from "./cipher-suite.ts";
import { decodeError } from "./errors.ts";
import { type ProtocolVersion, versionNumber } from "./protocol-version.ts";
import { Reader } from "./reader.ts";
import { written } from "./writer.ts";

/** The fields of a session. */
export interface SessionFields {
  readonly suite: CipherSuite;
  /** TLS 1.3: the ticket's pre-shared key. TLS 1.2: the main secret. */
  readonly secret: Uint8Array;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  readonly lifetimeSeconds: number;
  readonly serverName: string | undefined;
  readonly alpnProtocol: string | undefined;
  /** DER, the peer's end entity first; empty where the peer had none. */
  readonly peerCertificates: readonly Uint8Array[];
  /** Added to the age that a client of TLS 1.3 reports (RFC 8446 §4.6.1). */
  readonly ageAdd: number;
  /** What the client sends; empty inside a server's own ticket. */
  readonly ticket: Uint8Array;
}

const format = 1;
const none = new Uint8Array(0);

/** A session that can be resumed. `serialize` and `parseSession` carry it over a restart. */
export class ResumableSession {
  readonly version: ProtocolVersion;
  readonly cipherSuite: CipherSuite["name"];
  readonly serverName: string | undefined;
  readonly alpnProtocol: string | undefined;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  readonly lifetimeSeconds: number;
  readonly #fields: SessionFields;

  constructor(fields: SessionFields) {
    this.version = fields.suite.version;
    this.cipherSuite = fields.suite.name;
    this.serverName = fields.serverName;
    this.alpnProtocol = fields.alpnProtocol;
    this.createdAt = fields.createdAt;
    this.lifetimeSeconds = fields.lifetimeSeconds;
    this.#fields = fields;
  }

  /** All fields, the secret among them. */
  static fieldsOf(session: ResumableSession): SessionFields {
    return session.#fields;
  }

  /** Whether the session may still be used at a time in milliseconds since 1970. A clock before its creation ends it. */
  isFresh(now: number): boolean {
    return now >= this.createdAt && now < this.createdAt + 1000 * this.lifetimeSeconds;
  }

  /** The session as octets, the secret in clear: keep them as you keep a private key. */
  serialize(): Uint8Array {
    return writeSession(this.#fields);
  }
}

/** Writes a session. */
export function writeSession(fields: SessionFields): Uint8Array<ArrayBuffer> {
  return written((writer) => {
    writer.uint8(format).uint16(versionNumber[fields.suite.version]).uint16(fields.suite.number);
    writer.vector8(fields.secret);
    writer.uint32(Math.floor(fields.createdAt / 2 ** 32)).uint32(fields.createdAt % 2 ** 32);
    writer.uint32(fields.lifetimeSeconds).uint32(fields.ageAdd);
    writer.vector8((name) => name.ascii(fields.serverName ?? ""));
    writer.vector16((name) => name.ascii(fields.alpnProtocol ?? ""));
    writer.vector24((list) => {
      for (const der of fields.peerCertificates) list.vector24(der);
    });
    writer.vector16(fields.ticket);
  });
}

/** Reads what `writeSession` wrote; copies. Throws `ERR_TLS_DECODE` for anything else. */
export function readSession(octets: Uint8Array): SessionFields {
  const reader = new Reader(new Uint8Array(octets), "The session");
  if (reader.uint8() !== format) throw decodeError("The session has an unknown format");
  const version = reader.uint16();
  const suite = suiteByNumber(reader.uint16());
  if (suite === undefined || versionNumber[suite.version] !== version)
    throw decodeError("The session has no known suite");
  const secret = reader.vector8(1);
  const createdAt = reader.uint32() * 2 ** 32 + reader.uint32();
  const lifetimeSeconds = reader.uint32();
  const ageAdd = reader.uint32();
  const serverName = asciiText(reader.vector8());
  const alpnProtocol = asciiText(reader.vector16());
  const list = new Reader(reader.vector24(), "The session's certificates");
  const peerCertificates = [];
  // Copies: the buffer behind a view would hand out the secret with the certificate.
  while (list.remaining > 0) peerCertificates.push(list.vector24(1).slice());
  const ticket = reader.vector16();
  reader.end();
  return { suite, secret, createdAt, lifetimeSeconds, ageAdd, serverName, alpnProtocol, peerCertificates, ticket };
}

/** A session from what `serialize` gave. Throws `ERR_TLS_DECODE`. */
export function parseSession(octets: Uint8Array): ResumableSession {
  return new ResumableSession(readSession(octets));
}

function asciiText(octets: Uint8Array): string | undefined {
  return octets.length === 0 ? undefined : String.fromCharCode(...octets.subarray(0, 255));
}

/** The session as it goes into a server's own ticket. */
export function withoutTicket(fields: SessionFields): SessionFields {
  return { ...fields, ticket: none };
}
