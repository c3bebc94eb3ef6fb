/** Telling a trace of a handshake message: its fields, and the transcript hash before and after it. */

import { describeMessage } from "./describe-message.ts";
import type { Settings } from "./config.ts";
import type { HandshakeMessage } from "./handshake-input.ts";
import { handshakeByNumber } from "./handshake-type.ts";
import { hexOf } from "./key-log.ts";
import type { TraceEvent } from "./trace-event.ts";
import type { Transcript } from "./transcript.ts";

type MessageEvent = Extract<TraceEvent, { readonly step: "message" }>;

/** Who sent a message, and how. */
export type MessageOrigin = Pick<MessageEvent, "by" | "isOurs" | "isEncrypted">;

/** Puts a message into the transcript. Returns the hashes before and after it, undefined as long as no hash is chosen. */
export function addTraced(transcript: Transcript, message: HandshakeMessage): MessageEvent["transcript"] {
  const { algorithm } = transcript;
  if (algorithm === undefined) {
    transcript.add(message.encoding);
    return undefined;
  }
  const before = hexOf(transcript.hash());
  transcript.add(message.encoding);
  return { hash: algorithm, before, after: hexOf(transcript.hash()) };
}

/** Tells the trace of a message. */
export function traceMessage(
  settings: Settings,
  message: HandshakeMessage,
  origin: MessageOrigin,
  version: "TLSv1.2" | "TLSv1.3" | undefined,
  transcript: MessageEvent["transcript"],
): void {
  const name = handshakeByNumber(message.type);
  if (name === undefined) return;
  settings.trace?.({
    step: "message",
    ...origin,
    name,
    octets: message.encoding.length,
    fields: describeMessage(name, message.body, version, settings),
    transcript,
  });
}
