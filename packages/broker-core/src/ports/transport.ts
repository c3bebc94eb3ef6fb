/** A connection's way out. */

/** What the broker needs of a connection. Its input is reported with `ClientConnection.receive`, its end with `lost`. */
export interface Transport {
  /** Sends the chunks in order. They are not changed afterwards and may be kept. Called at most once for each thing that happens. */
  write(chunks: readonly Uint8Array[]): void;
  /** Sends what was written, then closes. No `receive` or `lost` is needed after it, and either is ignored. */
  close(): void;
  /** Stops calling `receive`, until `resume`. What is on its way already may still come. */
  pause(): void;
  resume(): void;
  /** Octets that were written and not yet taken by the network. When it falls to 0, `ClientConnection.drained` is called. */
  readonly bufferedOctets: number;
}
