/** NewSessionTicket (RFC 8446 §4.6.1, RFC 5077 §3.3). */

import { illegalParameter } from "../errors.ts";
import { readExtensions } from "../extension-list.ts";
import { Reader } from "../reader.ts";
import { written } from "../writer.ts";

/** RFC 8446 §4.6.1: no ticket lives longer than seven days. */
export const maximumLifetimeSeconds = 604_800;

/** A ticket of TLS 1.3. */
export interface NewSessionTicket13 {
  readonly lifetimeSeconds: number;
  readonly ageAdd: number;
  readonly nonce: Uint8Array;
  readonly ticket: Uint8Array;
}

/** Reads a NewSessionTicket of TLS 1.3; its extensions are skipped. */
export function readNewSessionTicket13(body: Uint8Array): NewSessionTicket13 {
  const reader = new Reader(body, "NewSessionTicket");
  const lifetimeSeconds = reader.uint32();
  const ageAdd = reader.uint32();
  const nonce = reader.vector8();
  const ticket = reader.vector16(1);
  readExtensions(reader, "NewSessionTicket");
  reader.end();
  if (lifetimeSeconds > maximumLifetimeSeconds) {
    throw illegalParameter("A ticket lives too long", "RFC 8446 §4.6.1", {
      found: `${lifetimeSeconds} seconds`,
      allowed: `${maximumLifetimeSeconds}`,
    });
  }
  return { lifetimeSeconds, ageAdd, nonce, ticket };
}

/** The body of a NewSessionTicket of TLS 1.3, without extensions: no early data. */
export function writeNewSessionTicket13(ticket: NewSessionTicket13): Uint8Array<ArrayBuffer> {
  return written((writer) => {
    writer.uint32(ticket.lifetimeSeconds).uint32(ticket.ageAdd);
    writer.vector8(ticket.nonce).vector16(ticket.ticket).uint16(0);
  });
}

/** A ticket of TLS 1.2; an empty one means that the server has none after all. */
export interface NewSessionTicket12 {
  readonly lifetimeSeconds: number;
  readonly ticket: Uint8Array;
}

/** Reads a NewSessionTicket of TLS 1.2. */
export function readNewSessionTicket12(body: Uint8Array): NewSessionTicket12 {
  const reader = new Reader(body, "NewSessionTicket");
  const lifetimeSeconds = reader.uint32();
  const ticket = reader.vector16();
  reader.end();
  return { lifetimeSeconds, ticket };
}

/** The body of a NewSessionTicket of TLS 1.2. */
export function writeNewSessionTicket12({ lifetimeSeconds, ticket }: NewSessionTicket12): Uint8Array<ArrayBuffer> {
  return written((writer) => writer.uint32(lifetimeSeconds).vector16(ticket));
}
