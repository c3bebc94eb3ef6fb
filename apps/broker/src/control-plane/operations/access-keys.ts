/** Access keys of the control plane. AWS has IAM for them; these operations are ours, under `/latchkey`. */

import type { AccessKeys } from "../../authorization/access-keys.ts";
import { account } from "../members.ts";
import { operation, type Operation } from "../../http/operation.ts";
import type { BrokerContext } from "./broker.ts";
import { label, member, required, text, word } from "../../http/shape.ts";

/** What the operations need besides the registry. */
export interface AccessKeyContext extends BrokerContext {
  readonly accessKeys: AccessKeys;
}

const path = "/latchkey/access-keys";

/** The operations. */
export const accessKeyOperations: readonly Operation<AccessKeyContext>[] = [
  operation("ListAccessKeys", `GET ${path}`, {
    access: "write",
    run: ({ accessKeys, scope }: AccessKeyContext) => ({ accessKeys: accessKeys.list(scope.account) }),
  }),
  operation("CreateAccessKey", `POST ${path}`, {
    exceptions: ["LimitExceededException"],
    members: {
      accessScope: required(member(word("administrator", "reader"))),
      description: member(text({ most: 256, pattern: /^[^\p{C}]*$/u, allowed: "printable characters" })),
      /** Another account, which is made where there is none. */
      account: member(account),
    },
    async run({ accessKeys, registry, scope }: AccessKeyContext, input) {
      const target = input.account ?? scope.account;
      await registry.createAccount({ account: target, region: scope.region });
      const { accessScope, description } = input;
      return { accessKey: await accessKeys.create({ accessScope, description, account: target }) };
    },
  }),
  operation("DeleteAccessKey", `DELETE ${path}/{accessKeyId}`, {
    exceptions: ["DeleteConflictException", "ResourceNotFoundException"],
    members: { accessKeyId: label(text({ least: 1, most: 128 })) },
    run: ({ accessKeys, scope }: AccessKeyContext, { accessKeyId }) => accessKeys.revoke(scope.account, accessKeyId),
  }),
];
