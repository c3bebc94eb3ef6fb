/** The secrets of a TLS 1.3 handshake in the order in which both sides derive them (RFC 8446 §7.1). */

import type { CipherSuite } from "./cipher-suite.ts";
import type { Connection } from "./connection.ts";
import { traceDerived } from "./derive-traced.ts";
import type { KeyLogLabel } from "./key-log.ts";
import { finishedData, KeySchedule, type SecretName, secretLabels, trafficKeys } from "./key-schedule.ts";

/** One handshake's key schedule, with what it says to trace and key log. */
export class HandshakeKeys13 {
  readonly #connection: Connection;
  readonly #suite: CipherSuite;
  readonly #clientRandom: Uint8Array;
  readonly #schedule: KeySchedule;
  #client: Uint8Array = none;
  #server: Uint8Array = none;

  constructor(
    connection: Connection,
    suite: CipherSuite,
    clientRandom: Uint8Array,
    group: string,
    sharedSecret: Uint8Array,
    preSharedKey: Uint8Array | undefined,
  ) {
    this.#connection = connection;
    this.#suite = suite;
    this.#clientRandom = clientRandom;
    this.#schedule = new KeySchedule(connection.provider, suite.hash, preSharedKey);
    this.#schedule.enterHandshake(sharedSecret);
    const from = preSharedKey === undefined ? "no pre-shared key" : "the ticket's pre-shared key";
    traceDerived(connection, "shared secret", `${group}: our private and the peer's public value`, "Diffie-Hellman");
    traceDerived(connection, "early secret", from, "HKDF-Extract");
    traceDerived(connection, "handshake secret", "early secret and shared secret", "HKDF-Extract");
  }

  /** After ServerHello: both sides' handshake traffic secrets, and the keys from them. */
  enterHandshake(): void {
    const hash = this.#connection.transcript.hash();
    this.#client = this.#derive("client_handshake_traffic_secret", hash, "CLIENT_HANDSHAKE_TRAFFIC_SECRET");
    this.#server = this.#derive("server_handshake_traffic_secret", hash, "SERVER_HANDSHAKE_TRAFFIC_SECRET");
    const isClient = this.#connection.role === "client";
    this.setRead(isClient ? this.#server : this.#client, "handshake");
    this.setWrite(isClient ? this.#client : this.#server, "handshake");
  }

  /** verify_data of a side's Finished over the transcript so far. */
  finished(role: "client" | "server"): Uint8Array {
    const baseKey = role === "client" ? this.#client : this.#server;
    return finishedData(this.#connection.provider, this.#suite.hash, baseKey, this.#connection.transcript.hash());
  }

  /** After the server's Finished: the secrets of the application data. */
  applicationSecrets(): { readonly client: Uint8Array; readonly server: Uint8Array; readonly exporter: Uint8Array } {
    this.#schedule.enterMain();
    traceDerived(this.#connection, "main secret", "handshake secret", "HKDF-Extract");
    const hash = this.#connection.transcript.hash();
    return {
      client: this.#derive("client_application_traffic_secret_0", hash, "CLIENT_TRAFFIC_SECRET_0"),
      server: this.#derive("server_application_traffic_secret_0", hash, "SERVER_TRAFFIC_SECRET_0"),
      exporter: this.#derive("exporter_secret", hash, "EXPORTER_SECRET"),
    };
  }

  /** After the client's Finished: what tickets are derived from. The schedule is over. */
  resumptionSecret(): Uint8Array {
    const secret = this.#derive("resumption_secret", this.#connection.transcript.hash(), undefined);
    this.end();
    return secret;
  }

  /** Overwrites what is not needed any more. */
  end(): void {
    this.#schedule.erase();
    this.#client.fill(0);
    this.#server.fill(0);
  }

  setRead(secret: Uint8Array, epoch: string): void {
    this.#connection.setReadKeys(this.#suite, trafficKeys(this.#connection.provider, this.#suite, secret), epoch);
  }

  setWrite(secret: Uint8Array, epoch: string): void {
    this.#connection.setWriteKeys(this.#suite, trafficKeys(this.#connection.provider, this.#suite, secret), epoch);
  }

  #derive(name: SecretName, transcriptHash: Uint8Array, label: KeyLogLabel | undefined): Uint8Array {
    const secret = this.#schedule.derive(name, transcriptHash);
    if (label !== undefined) this.#connection.logKey(label, this.#clientRandom, secret);
    const how = `HKDF-Expand-Label "${secretLabels[name]}"`;
    traceDerived(this.#connection, name, `${this.#schedule.stage} secret`, how, transcriptHash);
    return secret;
  }
}

const none = new Uint8Array(0);
