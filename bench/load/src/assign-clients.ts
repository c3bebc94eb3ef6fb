/** Which worker has which clients: each role is dealt in turn, so every worker has its share of publishers and of subscribers. */

import type { ClientPlan } from "./task.ts";

/** The clients of each worker. */
export function assignClients(plan: readonly ClientPlan[], workers: number): ClientPlan[][] {
  const shares: ClientPlan[][] = Array.from({ length: workers }, () => []);
  const dealt = { publisher: 0, subscriber: 0, idle: 0 };
  for (const client of plan) shares[dealt[client.role]++ % workers]?.push(client);
  return shares;
}
