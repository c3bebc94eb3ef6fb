/** The trace: the article's handshake, step by step, in words and as JSON. */

import { expect, it } from "vitest";
import type { TraceEvent } from "../src/index.ts";
import { traceJson, traceText } from "../src/trace-entry.ts";
import { connect } from "./pair.ts";

function traced(version: "TLSv1.2" | "TLSv1.3"): TraceEvent[] {
  const events: TraceEvent[] = [];
  connect({
    client: { versions: [version], trace: (event) => events.push(event), alpn: ["mqtt"] },
    server: { alpn: ["mqtt"] },
  });
  return events;
}

it("tells TLS 1.2 as the article does", () => {
  const names = { client: "the button", server: "AWS IoT" };
  const text = traceText(traced("TLSv1.2"), { names });
  const story = [
    "──▶ the button: ClientHello",
    "◀── AWS IoT: ServerHello",
    "◀── AWS IoT: Certificate",
    "AWS IoT's signature holds over both randoms and the public value",
    "◀── AWS IoT: CertificateRequest",
    "AWS IoT's certificate is believed",
    "──▶ the button: Certificate,",
    "= shared secret, from secp256r1: our private",
    "= main secret",
    "the button signs all messages so far by ecdsa_secp256r1_sha256, with the key of CN=button-1",
    "──▶ the button: CertificateVerify",
    "the button encrypts from here on",
    "AWS IoT finished: both sides saw the same handshake and have the same secret",
    "TLSv1.2, TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
  ];
  let from = 0;
  for (const line of story.map((one) => one.replace("secp256r1: our", "x25519: our"))) {
    const at = text.indexOf(line, from);
    expect(at, `${line} in\n${text}`).toBeGreaterThanOrEqual(0);
    from = at;
  }
});

it("tells the hash before and after each message of TLS 1.3, and what was signed", () => {
  const events = traced("TLSv1.3");
  const messages = events.filter((event) => event.step === "message" && event.transcript !== undefined);
  expect(messages.length).toBeGreaterThan(7);
  for (const [index, event] of messages.entries()) {
    const before = messages[index - 1];
    if (event.step !== "message" || before?.step !== "message") continue;
    expect(event.transcript?.before).toBe(before.transcript?.after);
  }
  const signatures = events.filter((event) => event.step === "signature");
  expect(signatures.map((event) => event.step === "signature" && [event.by, event.isOurs, event.scheme])).toEqual([
    ["server", false, "ecdsa_secp256r1_sha256"],
    ["client", true, "ecdsa_secp256r1_sha256"],
  ]);
  const derived = events.flatMap((event) => (event.step === "derived" ? [event.name] : []));
  expect(derived).toEqual([
    "shared secret",
    "early secret",
    "handshake secret",
    "client_handshake_traffic_secret",
    "server_handshake_traffic_secret",
    "main secret",
    "client_application_traffic_secret_0",
    "server_application_traffic_secret_0",
    "exporter_secret",
    "resumption_secret",
  ]);
  expect(JSON.parse(traceJson(events))).toHaveLength(events.length);
  const hello = events.find((event) => event.step === "message" && event.name === "client_hello");
  expect(hello).toMatchObject({
    fields: { server_name: "broker.example", application_layer_protocol_negotiation: ["mqtt"] },
  });
  expect(traceText(events, { showsFields: true })).toContain("session_id");
});
