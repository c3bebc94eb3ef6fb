/** A will: what is published for a client whose connection ends without a normal DISCONNECT (MQTT 5.0 §3.1.2.5). */

import type { MessageFields } from "../routing/message.ts";

/** A will as CONNECT gave it, its octets copied. */
export interface StoredWill {
  readonly fields: MessageFields;
  /** Seconds between the end of the connection and its publication. */
  readonly delaySeconds: number;
}

/** A will whose connection has ended and whose delay has not passed. */
export interface PendingWill {
  /** Publishes it, if it is still allowed. */
  readonly publish: () => void;
  /** The client came back in time: it is not published (MQTT-3.1.3-9). */
  readonly cancel: () => void;
}

/** A will that is due, about which nobody could decide yet. It is asked about again for a minute. */
export interface UndecidedWill {
  /** Asks again. */
  readonly ask: () => void;
  /** It is not published, because nobody wants it any more. */
  readonly cancel: () => void;
  /**
   * It is dropped, which is counted and reported; an attempt that runs since the connection ended is the last one. MQTT 5.0 §3.1.3.2.2 forbids
   * a will whose delay has not passed when its client is back. One that was due and could merely not be decided is better not sent, either, than
   * sent after what its client has published since. With `isStopping` it stays in the store, if it is there.
   */
  readonly giveUp: (reason: string, isStopping?: boolean) => void;
}

/** Those of one broker. */
export interface UndecidedWills {
  readonly byClient: Map<string, UndecidedWill>;
  /** Those whose next attempt is due, so that one turn need not make all of them. */
  readonly due: Set<UndecidedWill>;
}
