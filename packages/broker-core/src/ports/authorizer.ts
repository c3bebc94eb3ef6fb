/** What a principal may do. The broker asks before it acts, and hands the answer on in its events. */

/** What a client wants to do. Names are those of the resource: a client identifier, a topic name or a topic filter. */
export type Action = "connect" | "publish" | "retain-publish" | "subscribe" | "receive";

/** A refusal. An authorizer may return a class of its own with more in it; the event `denied` carries the same object. */
export interface Denial {
  readonly isAllowed: false;
  /** The log gets it; it MUST NOT be sent to a client. It may be a getter, because most refusals are not logged. */
  readonly reason: string;
  /**
   * True: nothing was decided, because something that the authorizer needs (a database, a service) did not answer. What was asked for is refused,
   * but the broker asks about a will again for a minute.
   */
  readonly isTemporary?: boolean | undefined;
}

/** `true` allows, which costs no object; anything else refuses and says why. */
export type Decision = true | Denial;

/**
 * Says what a principal may do. Asked at CONNECT, for every PUBLISH, every filter of a SUBSCRIBE and every delivery.
 *
 * A synchronous answer costs nothing but the call. An asynchronous one holds up what was asked for: packets of a client wait behind
 * its PUBLISH, deliveries to a client wait in its queue. A rejection or a throw refuses, and is temporary; a promise that never settles is
 * waited for.
 */
export interface Authorizer<Principal> {
  decide(principal: Principal, action: Action, name: string, nowMs: number): Decision | Promise<Decision>;
  /**
   * A number that changes when answers to this principal may have changed. Where it is there, the broker asks once for each topic
   * and remembers the answer until the number changes; without it, it asks every time.
   */
  revision?(principal: Principal): number;
}
