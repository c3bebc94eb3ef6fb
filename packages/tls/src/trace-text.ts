/**
 * A handshake told in words: who said hello, whose certificate was believed, what was hashed and signed, which secret both
 * sides made of it.
 */

import type { TraceEvent, TraceRole, TraceValue } from "./trace-event.ts";

/** Options of the text. */
export interface TraceTextOptions {
  /** What the two sides are called. Default "client" and "server". */
  readonly names?: { readonly client: string; readonly server: string };
  /** Whether every field of every message is shown. Default false: what the story needs. */
  readonly showsFields?: boolean;
}

const arrows: Readonly<Record<TraceRole, string>> = { client: "──▶", server: "◀──" };

/** The fields that the story needs. */
const told: ReadonlyMap<string, readonly string[]> = new Map([
  ["client_hello", ["server_name", "supported_versions", "cipher_suites", "supported_groups"]],
  ["server_hello", ["selected_version", "cipher_suite", "key_share"]],
  ["certificate", ["certificates"]],
  ["certificate_request", ["signature_algorithms"]],
  ["certificate_verify", ["algorithm", "signature"]],
  ["server_key_exchange", ["group", "algorithm"]],
  ["new_session_ticket", ["ticket_lifetime"]],
]);

/** Text for a terminal, one line or more a step, no colours. */
export function traceText(events: readonly TraceEvent[], options: TraceTextOptions = {}): string {
  const names = options.names ?? { client: "client", server: "server" };
  const lines: string[] = [];
  for (const event of events) lines.push(...stepLines(event, names, options.showsFields === true));
  return `${lines.join("\n")}\n`;
}

function stepLines(event: TraceEvent, names: Readonly<Record<TraceRole, string>>, showsFields: boolean): string[] {
  switch (event.step) {
    case "message":
      return messageLines(event, names[event.by], showsFields);
    case "changeCipherSpec":
      return [`${arrows[event.by]} ${names[event.by]}: ChangeCipherSpec`];
    case "derived":
      return [
        `      = ${event.name}, from ${event.from} by ${event.how}`,
        ...(event.transcriptHash === undefined ? [] : [`        over the transcript hash ${event.transcriptHash}`]),
      ];
    case "keys":
      return [`      # ${names[event.by]} encrypts from here on with ${event.suite} (${event.epoch} keys)`];
    case "signature":
      return [
        event.isOurs
          ? `      ✎ ${names[event.by]} signs ${event.over} by ${event.scheme}, with ${event.key}`
          : `      ✓ ${names[event.by]}'s signature holds over ${event.over}: ${event.scheme}, ${event.key}`,
        ...(event.transcriptHash === undefined ? [] : [`        ${event.transcriptHash}`]),
      ];
    case "finishedVerified":
      return [`      ✓ ${names[event.by]} finished: both sides saw the same handshake and have the same secret`];
    case "chain":
      return chainLines(event, names[event.by]);
    case "alert":
      return [`  !   ${event.isOurs ? "sent" : "received"} ${event.level} alert ${event.description}`];
    case "established":
      return [
        `  =   ${event.version}, ${event.suite}, ${event.group}${event.isResumption ? ", resumed" : ""}` +
          (event.alpnProtocol === undefined ? "" : `, ${event.alpnProtocol}`),
      ];
    default:
      return [];
  }
}

function messageLines(
  event: Extract<TraceEvent, { readonly step: "message" }>,
  by: string,
  showsFields: boolean,
): string[] {
  const isRetry = event.fields["is_hello_retry_request"] === true;
  const name = isRetry ? "HelloRetryRequest" : titleOf(event.name);
  const lock = event.isEncrypted ? " (encrypted)" : "";
  const lines = [`${arrows[event.by]} ${by}: ${name}, ${event.octets} octets${lock}`];
  const wanted = told.get(event.name) ?? [];
  for (const [field, value] of Object.entries(event.fields)) {
    if (showsFields || wanted.includes(field)) lines.push(`        ${field}: ${valueText(value)}`);
  }
  if (event.transcript !== undefined) {
    lines.push(`        transcript ${event.transcript.before.slice(0, 16)}… → ${event.transcript.after.slice(0, 16)}…`);
  }
  return lines;
}

function chainLines(event: Extract<TraceEvent, { readonly step: "chain" }>, by: string): string[] {
  const again = event.isResumption ? " again" : "";
  const verdict = event.isAccepted
    ? `      ✓ ${by}'s certificate is believed${again}`
    : `      ✗ ${by}'s certificate is refused${again}: ${event.reason ?? "no reason"}`;
  return [verdict, ...event.certificates.map(({ subject, issuer }) => `        ${subject}, issued by ${issuer}`)];
}

/** `client_hello` as the standards write it: ClientHello. */
function titleOf(name: string): string {
  return name
    .split("_")
    .map((word) => word.slice(0, 1).toUpperCase() + word.slice(1))
    .join("");
}

function valueText(value: TraceValue): string {
  if (Array.isArray(value)) return value.map((one: TraceValue) => valueText(one)).join(", ");
  if (typeof value === "object") {
    return Object.entries(value)
      .map(([name, one]) => `${name} ${valueText(one)}`)
      .join(" ");
  }
  return String(value);
}
