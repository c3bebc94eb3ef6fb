/** Sessions that are asked for from other nodes and have not come, by client identifier. */
export interface OpenClaims {
  /** Those that a CONNECT waits for. */
  readonly waiting: Map<string, Promise<void>>;
  /** Those that took too long. The session that comes still is taken, unless its client was let in meanwhile without it. */
  readonly late: Map<string, Promise<void>>;
}
