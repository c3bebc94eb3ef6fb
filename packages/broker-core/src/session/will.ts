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
