/** What happens on an open connection besides data: key updates, tickets, exporters, limits of keys. */

import type { HandshakeType } from "./handshake-type.ts";

/** The traffic state of one version. It holds the secrets that are needed as long as the connection lives. */
export interface Traffic {
  /** KeyUpdates of the peer since its last application data. */
  keyUpdates: number;
  /** Whether the peer asked for a KeyUpdate, which goes out before the next data. */
  readonly owesKeyUpdate: boolean;
  /** Records that the write key may still protect. */
  readonly recordsLeft: number;
  /** Takes a message that the table allows. */
  receive(name: HandshakeType | undefined, body: Uint8Array): void;
  /** After records were sent: a key that was used enough is replaced. */
  afterSending(): void;
  /** After a record came: a key that was used enough is asked to be replaced. */
  afterReceiving(): void;
  updateKeys(requestsPeer: boolean): void;
  exportKeyingMaterial(length: number, label: string, context: Uint8Array | undefined): Uint8Array;
  /** Overwrites the secrets. */
  erase(): void;
}
