/** Acts on changes of the registry: each live connection that a change touches is brought up to date, or ended. */

import { messageOf } from "@latchkey/command-line";
import type { Broker } from "@latchkey/broker-core";
import type { ConnectionRights, ConnectionRightsTable, Storage } from "@latchkey/registry";
import { watchChanges } from "@latchkey/registry/node";
import type { Logger } from "pino";
import type { Peer } from "./peer.ts";
import { ProgramPrincipal, type Principal } from "./policy-authorizer.ts";

/** Connections that are looked at before other work gets its turn: less than a millisecond each. */
const connectionsPerTurn = 20;

/** How often it is looked whether a certificate has expired. */
const expiryCheckMs = 1000;

/** Watches the registry and the clock until it is disposed. Where the registry cannot be read, every connection ends: nobody has rights then. */
export function refreshPrincipals(
  storage: Storage,
  table: ConnectionRightsTable,
  broker: Broker<Peer, Principal>,
  log: Logger,
): Disposable {
  const endRefused = async (touched: Iterable<ConnectionRights>): Promise<void> => {
    let looked = 0;
    const refused = new Set<ConnectionRights>();
    for (const rights of touched) {
      if (rights.refusal !== undefined) refused.add(rights);
      if (++looked % connectionsPerTurn === 0) await nextTurn();
    }
    if (refused.size === 0) return;
    for (const connection of Array.from(broker.connections())) {
      const rights = rightsOf(connection.principal);
      if (rights !== undefined && refused.has(rights))
        connection.end("administrative", rights.refusal ?? "refused", performance.now());
    }
  };
  const onError = (error: unknown): void => {
    const reason = messageOf(error);
    log.error({ reason }, "the registry cannot be read: every connection ends");
    for (const connection of Array.from(broker.connections())) {
      const rights = rightsOf(connection.principal);
      if (rights !== undefined) table.refuse(rights, reason);
      connection.end("administrative", "the registry cannot be read", performance.now());
    }
  };
  const watcher = watchChanges(storage, {
    onChanges: (changes) => endRefused(table.apply(changes)),
    onReset: () => endRefused(table.applyAll()),
    onError,
  });
  const endPrograms = (): void => {
    for (const connection of Array.from(broker.connections())) {
      const { peer } = connection;
      if (peer.kind === "program" && !peer.isValid())
        connection.end("administrative", `the access key ${peer.accessKeyId} is not known any more`, performance.now());
    }
  };
  const expiry = setInterval(() => {
    void endRefused(table.expire()).catch(onError);
    endPrograms();
  }, expiryCheckMs);
  return {
    [Symbol.dispose]() {
      clearInterval(expiry);
      watcher[Symbol.dispose]();
    },
  };
}

/** Those of a device; a program with an access key has none. */
function rightsOf(principal: Principal | undefined): ConnectionRights | undefined {
  return principal === undefined || principal instanceof ProgramPrincipal ? undefined : principal.rights;
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
