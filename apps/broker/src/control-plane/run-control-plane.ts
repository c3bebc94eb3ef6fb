/** The control plane of a running broker: its access keys, its server, and where commands on this machine find it. */

import { exclusiveThing } from "../authorization/exclusive-thing.ts";
import { DevicePrincipal } from "../authorization/policy-authorizer.ts";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { messageOf } from "@latchkey/command-line";
import type { Scope } from "@latchkey/registry";
import { certificateToPem } from "@latchkey/x509";
import type { Logger } from "pino";
import type { BrokerDirectory } from "../data-directory/data-directory.ts";
import { writeFileWhole } from "../data-directory/write-file.ts";
import { AccessKeys, type AccessKey } from "../authorization/access-keys.ts";
import type { Authentication, Caller } from "../authorization/authenticate.ts";
import type { DecisionLog } from "../observability/decision-log.ts";
import { FailureLimit } from "../authorization/failure-limit.ts";
import type { Operation } from "../http/operation.ts";
import { accessKeyOperations, type AccessKeyContext } from "./operations/access-keys.ts";
import { decisionOperations, type DecisionContext } from "./operations/decisions.ts";
import { dataPlaneOperations, type DataPlane, type LiveBroker, type LiveContext } from "../data-plane/operations.ts";
import { directoryOperations } from "./operations/all.ts";
import { startControlPlane, type ControlPlane } from "./server.ts";

/** Settings of the control plane. */
export interface ControlPlaneSettings {
  readonly host: string;
  /** 0 for any free port. */
  readonly port: number;
  /** HTTPS on loopback addresses, too. */
  readonly isSecure: boolean;
  /** How long a request may take to arrive. Default 10,000. */
  readonly requestTimeoutMs?: number | undefined;
}

/** What the control plane sees of the broker that runs. */
export interface LiveParts {
  readonly broker: LiveBroker;
  readonly dataPlane: DataPlane;
  readonly decisions: DecisionLog;
  readonly authentication: Authentication;
}

/** A control plane that listens, and the key that was made because the account had no administrator. */
export interface RunningControlPlane extends ControlPlane {
  readonly newAdministrator: AccessKey | undefined;
}

/** The file of a data directory that says where its broker's control plane listens. */
const controlPlaneFile = "control-plane.json";

/** What operations work with where a broker runs. */
type ControlContext = AccessKeyContext & LiveContext & DecisionContext;

const operations: readonly Operation<ControlContext>[] = [
  ...directoryOperations,
  ...accessKeyOperations,
  ...dataPlaneOperations,
  ...decisionOperations,
];

/** Who has access keys to a data directory. Throws `BrokerError`. */
export async function openAuthentication(directory: string, { registry }: BrokerDirectory): Promise<Authentication> {
  return {
    keys: await AccessKeys.open(directory, () => Math.floor(Date.now() / 1000)),
    registry,
    failures: new FailureLimit(),
    now: Date.now,
    monotonicMs: () => performance.now(),
  };
}

/** Starts the control plane on a data directory. Throws `BrokerError`. */
export async function runControlPlane(
  settings: ControlPlaneSettings,
  directory: string,
  data: BrokerDirectory,
  live: LiveParts,
  log: Logger,
): Promise<RunningControlPlane> {
  const { authentication } = live;
  const { keys } = authentication;
  const newAdministrator = await orWarn(log, () => ensureAdministrator(keys, data.scope));
  const server = await startControlPlane({
    ...settings,
    certificate: data.server.certificate,
    privateKey: data.server.privateKey,
    authentication,
    operations,
    contextOf: contextWith(data, keys, live),
    log,
  });
  const file = join(directory, controlPlaneFile);
  await orWarn(log, () => writeFileWhole(file, `${JSON.stringify({ url: server.url })}\n`, 0o600));
  return {
    ...server,
    newAdministrator,
    async close() {
      await rm(file, { force: true });
      await server.close();
    },
  };
}

/** On a full disk the broker serves its devices all the same. */
async function orWarn<T>(log: Logger, body: () => Promise<T>): Promise<T | undefined> {
  try {
    return await body();
  } catch (error) {
    log.warn(
      { reason: messageOf(error) },
      "the control plane cannot be set up completely: start again when this is mended",
    );
    return undefined;
  }
}

function contextWith(
  { registry, serverAuthority }: BrokerDirectory,
  accessKeys: AccessKeys,
  { broker, dataPlane, decisions }: LiveParts,
): (caller: Caller, requestId: string) => ControlContext {
  const serverAuthorityPem = certificateToPem(serverAuthority);
  return ({ scope }, requestId) => ({
    registry,
    scope,
    serverAuthorityPem,
    accessKeys,
    broker,
    dataPlane: { ...dataPlane, requestId },
    decisions,
    brokerNowMs: () => performance.now(),
    thingOf: (principal) => (principal instanceof DevicePrincipal ? exclusiveThing(registry, principal) : undefined),
  });
}

async function ensureAdministrator(keys: AccessKeys, { account }: Scope): Promise<AccessKey | undefined> {
  if (keys.administratorOf(account) !== undefined) return undefined;
  return keys.create({ accessScope: "administrator", account, description: "made by the first start" });
}
