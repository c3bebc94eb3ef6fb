/** What a channel tells. */

import type { ResumableSession } from "../session.ts";

/** Who has a channel. It is called within calls of the transport and of its own to the channel. */
export interface ChannelOwner {
  /** The handshake is done: `info` is there. */
  secured?(): void;
  /** The server gave a ticket. */
  session?(session: ResumableSession): void;
  /** Plaintext that came. It belongs to the owner. */
  received(data: Buffer): void;
  /** What was written has left, after `bufferedOctets` had reached the transport's `writableHighWaterMark`. */
  drained?(): void;
  /** The peer sends no more; again once the transport is closed, if the channel is still there. */
  ended(): void;
  /** The channel is destroyed. The last call. */
  closed(error: Error | undefined): void;
}
