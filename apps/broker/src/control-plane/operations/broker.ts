/** What a client needs to know of the broker itself. The operation is ours, under `/latchkey`. */

import { operation, type Operation, type OperationContext } from "../../http/operation.ts";

/** What the operation needs besides the registry. */
export interface BrokerContext extends OperationContext {
  /** The root that vouches for the server's certificate. */
  readonly serverAuthorityPem: string;
}

/** The operations. */
export const brokerOperations: readonly Operation<BrokerContext>[] = [
  operation("DescribeBroker", "GET /latchkey/broker", {
    run: ({ registry, scope, serverAuthorityPem }: BrokerContext) => ({
      account: scope.account,
      region: scope.region,
      endpointAddress: registry.describeAccount(scope).endpoint,
      serverAuthorityPem,
    }),
  }),
];
