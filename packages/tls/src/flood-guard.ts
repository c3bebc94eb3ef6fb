/** Counters against a peer that sends records without end and says nothing by them (checks of `limits.ts`). */

import { TlsError } from "./errors.ts";
import type { TlsLimits } from "./limits.ts";

export class FloodGuard {
  readonly #limits: TlsLimits;
  #useless = 0;
  #warnings = 0;
  #droppedChangeCipherSpecs = 0;

  constructor(limits: TlsLimits) {
    this.#limits = limits;
  }

  /** Application data or a message of the handshake came: what came before it was not useless. */
  useful(): void {
    this.#useless = 0;
  }

  /** A record that is no alert came: warnings are counted in a row. */
  noAlert(): void {
    this.#warnings = 0;
  }

  /** An empty record, a warning, a message after the handshake. Throws `ERR_TLS_LIMIT`. */
  countUseless(): void {
    this.#useless++;
    if (this.#useless > this.#limits.uselessRecords) {
      throw this.#reached("uselessRecords", "Too many records without data");
    }
  }

  /** Throws `ERR_TLS_LIMIT`. */
  countWarning(): void {
    this.#warnings++;
    if (this.#warnings > this.#limits.warningAlerts) throw this.#reached("warningAlerts", "Too many warning alerts");
    this.countUseless();
  }

  /** change_cipher_spec of TLS 1.3, which means nothing. Throws `ERR_TLS_LIMIT`. */
  countChangeCipherSpec(): void {
    this.#droppedChangeCipherSpecs++;
    if (this.#droppedChangeCipherSpecs > this.#limits.changeCipherSpecs) {
      throw this.#reached("changeCipherSpecs", "Too many change_cipher_spec records");
    }
    this.countUseless();
  }

  #reached(limit: "changeCipherSpecs" | "warningAlerts" | "uselessRecords", what: string): TlsError {
    const allowed = this.#limits[limit];
    const found = `${allowed + 1}`;
    return new TlsError("ERR_TLS_LIMIT", what, { alert: "unexpected_message", limit, found, allowed: `${allowed}` });
  }
}
