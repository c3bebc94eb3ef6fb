/** Everything that decides whether a device gets in and what it may do, in the order in which the broker looks. Ours, under `/latchkey`. */

import {
  resourceArn,
  type AuthorizationAction,
  type CertificateRecord,
  type Registry,
  type Scope,
} from "@latchkey/registry";
import { clientArn, topicArn, topicFilterArn } from "@latchkey/policy";
import { certificatesFromPem, nameText } from "@latchkey/x509";
import { certificateId } from "../members.ts";
import { operation, type Operation } from "../../http/operation.ts";
import { label, query, text } from "../../http/shape.ts";

/** One thing that was looked at. */
interface Check {
  readonly name: string;
  readonly ok: boolean;
  readonly detail: string;
}

const name = text({ least: 1, most: 65_535 });

/** The operations. */
export const diagnosisOperations: readonly Operation[] = [
  operation("DiagnoseCertificate", "GET /latchkey/diagnosis/{certificateId}", {
    exceptions: ["ResourceNotFoundException"],
    members: {
      certificateId: label(certificateId),
      /** Default: the name of the certificate's thing. */
      clientId: query(name),
      /** A topic to publish to, and one to receive from. */
      publish: query(name),
      receive: query(name),
      /** A topic filter. */
      subscribe: query(name),
    },
    async run(context, input) {
      const { registry, scope } = context;
      const record = registry.certificates.describe(scope, input.certificateId);
      const things = registry.things.listThingsOfPrincipal(scope, record.certificateId).items;
      const exclusive = things.find(({ type }) => type === "EXCLUSIVE_THING");
      const clientId = input.clientId ?? (exclusive ?? things[0])?.thingName;
      const policies = registry.effectivePolicies(scope, record.certificateId, clientId);
      const checks: Check[] = [
        { name: "registered", ok: true, detail: `in account ${scope.account}, region ${scope.region}` },
        statusCheck(record),
        await identityCheck(registry, record),
        thingCheck(
          things.map((one) => one.thingName),
          exclusive?.thingName,
          clientId,
        ),
        {
          name: "policies",
          ok: policies.length > 0,
          detail:
            policies.length > 0
              ? policies.map(({ policyName, versionId }) => `${policyName} (version ${versionId})`).join(", ")
              : "none is in effect, so everything is refused: attach one",
        },
      ];
      return {
        certificateId: record.certificateId,
        certificateArn: resourceArn(scope, "cert", record.certificateId),
        clientId,
        checks,
        decisions: decisionsOf(context, record.certificateId, clientId, input),
      };
    },
  }),
];

function statusCheck({ status }: CertificateRecord): Check {
  const mend: Readonly<Record<CertificateRecord["status"], string>> = {
    ACTIVE: "",
    INACTIVE: ": it may not connect until it is ACTIVE",
    REVOKED: ": it may not connect any more; make the device a new certificate",
    PENDING_TRANSFER: ": it is offered to another account",
    PENDING_ACTIVATION: ": it was registered just in time and waits to be made ACTIVE",
  };
  return { name: "status", ok: status === "ACTIVE", detail: `${status}${mend[status]}` };
}

/** Dates, chain and authority, as the broker judges them after a handshake. */
async function identityCheck(registry: Registry, record: CertificateRecord): Promise<Check> {
  const [certificate] = certificatesFromPem(record.certificatePem);
  if (certificate === undefined)
    return { name: "identity", ok: false, detail: "the stored certificate cannot be read" };
  const subject = nameText(certificate.subject);
  const result = await registry.resolvePrincipal([certificate.encoding], undefined);
  const until = new Date(certificate.validity.notAfter * 1000).toISOString();
  if (result.ok) return { name: "identity", ok: true, detail: `${subject}, believed, valid until ${until}` };
  return { name: "identity", ok: false, detail: `${subject}: ${result.code}: ${result.reason}` };
}

/** Never a fault by itself: what policies make of a thing that the connection is or is not, their decisions say. */
function thingCheck(things: readonly string[], exclusive: string | undefined, clientId: string | undefined): Check {
  if (things.length === 0) {
    return { name: "thing", ok: true, detail: "attached to none: policy variables of things have no value" };
  }
  if (exclusive !== undefined)
    return { name: "thing", ok: true, detail: `belongs to ${exclusive}, whatever the client identifier is` };
  const isAssociated = clientId !== undefined && things.includes(clientId);
  return {
    name: "thing",
    ok: true,
    detail: isAssociated
      ? `the connection is thing ${clientId}`
      : `attached to ${things.join(", ")}; the client identifier ${JSON.stringify(clientId ?? "")} is none of them, so policy ` +
        "variables of things have no value",
  };
}

function decisionsOf(
  { registry, scope }: { readonly registry: Registry; readonly scope: Scope },
  id: string,
  clientId: string | undefined,
  asked: {
    readonly publish: string | undefined;
    readonly receive: string | undefined;
    readonly subscribe: string | undefined;
  },
): readonly object[] {
  const questions: { readonly actionType: AuthorizationAction; readonly resources: readonly string[] }[] = [];
  if (clientId !== undefined) questions.push({ actionType: "CONNECT", resources: [clientArn(scope, clientId)] });
  const { publish, receive, subscribe } = asked;
  if (publish !== undefined) questions.push({ actionType: "PUBLISH", resources: [topicArn(scope, publish)] });
  if (subscribe !== undefined)
    questions.push({ actionType: "SUBSCRIBE", resources: [topicFilterArn(scope, subscribe)] });
  if (receive !== undefined) questions.push({ actionType: "RECEIVE", resources: [topicArn(scope, receive)] });
  if (questions.length === 0) return [];
  const answers = registry.testAuthorization(scope, { certificateId: id, clientIdentifier: clientId, questions });
  return answers.map(({ actionType, resource, authDecision, explanation }) => ({
    actionType,
    resource,
    decision: authDecision,
    sentence: explanation.sentence,
  }));
}
