/** What all connections of a broker share, before there is any. */

import { SentDeliveries } from "../counters.ts";
import type { BrokerContext } from "./connection.ts";
import { OutputSpace } from "./output-space.ts";

/** What is empty when a broker begins. */
export function startingState<Peer, Principal>(): Pick<
  BrokerContext<Peer, Principal>,
  | "sent"
  | "connectRates"
  | "committed"
  | "appended"
  | "claims"
  | "undecidedWills"
  | "waitsForStore"
  | "space"
  | "confirmations"
> {
  return {
    sent: new SentDeliveries(),
    connectRates: new Map(),
    committed: 0,
    appended: 0,
    claims: { waiting: new Map(), late: new Map() },
    undecidedWills: { byClient: new Map(), due: new Set() },
    waitsForStore: new Set(),
    space: new OutputSpace(),
    confirmations: new Map(),
  };
}
