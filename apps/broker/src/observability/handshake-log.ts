/** Lines for connections that get no further than their handshake: bounded in number, whatever an address or a certificate tries. */

import type { Logger } from "pino";
import type { ClientRefusal } from "../authorization/peer.ts";
import { addressGroup } from "../listeners/address-group.ts";
import { EqualEvents } from "./equal-events.ts";
import { logRefusal } from "./event-log.ts";

const intervalMs = 10_000;
/** Attempts of one address, or with one certificate, that have a line of their own in an interval. */
const maximumNames = 20;
/** The same of all. */
const maximumKinds = 1000;

interface Failure {
  readonly remote: string;
  readonly reason: string;
}

interface Refused {
  readonly connection: { readonly remote: string; readonly protocol: string };
  readonly refusal: ClientRefusal;
}

interface NotAdmitted {
  readonly remote: string;
  readonly limit: string;
  readonly value: number;
}

/** Writes them. */
export class HandshakeLog implements Disposable {
  readonly #failed: EqualEvents<Failure>;
  readonly #refused: EqualEvents<Refused>;
  readonly #notAdmitted: EqualEvents<NotAdmitted>;

  constructor(log: Logger) {
    const bounds = { intervalMs, maximumNames, maximumKinds };
    this.#failed = new EqualEvents({
      ...bounds,
      report: (what, failure, times) => {
        if (what === "first") log.warn(failure, "TLS handshake failed");
        else log.warn({ ...failure, times }, "TLS handshakes failed: this is the last of them");
      },
    });
    this.#refused = new EqualEvents({
      ...bounds,
      report: (what, { connection, refusal }, times) => {
        const { code, reason } = refusal;
        if (what === "first") logRefusal(log, connection, refusal);
        else log.warn({ ...connection, code, reason, times }, "clients refused: this is the last of them");
      },
    });
    this.#notAdmitted = new EqualEvents({
      ...bounds,
      report: (what, refusal, times) => {
        if (what === "first") log.warn(refusal, "not admitted");
        else log.warn({ ...refusal, times }, "not admitted: this is the last of them");
      },
    });
  }

  /** A connection was cut before its handshake: the limit of this name and value was reached. */
  notAdmitted(remote: string, limit: string, value: number): void {
    // Each connection has another port: the address is what they have in common.
    this.#notAdmitted.add(limit, addressIn(remote), { remote, limit, value });
  }

  failed(remote: string, reason: string): void {
    this.#failed.add(addressIn(remote), remote, { remote, reason });
  }

  refused(connection: Refused["connection"], refusal: ClientRefusal): void {
    const who = "certificateId" in refusal ? refusal.certificateId : addressIn(connection.remote);
    this.#refused.add(who, connection.remote, { connection, refusal });
  }

  /** Writes what was counted. */
  [Symbol.dispose](): void {
    this.#failed[Symbol.dispose]();
    this.#refused[Symbol.dispose]();
    this.#notAdmitted[Symbol.dispose]();
  }
}

function addressIn(remote: string): string {
  return addressGroup(remote.slice(0, remote.lastIndexOf(":")));
}
