/** Fifty clients that create, attach, detach and delete at once, then a look at the whole registry. */

import {
  AddThingToThingGroupCommand,
  AttachPolicyCommand,
  AttachThingPrincipalCommand,
  CreateCertificateFromCsrCommand,
  CreatePolicyCommand,
  CreatePolicyVersionCommand,
  CreateThingCommand,
  CreateThingGroupCommand,
  DeleteCertificateCommand,
  DeletePolicyCommand,
  DeleteThingCommand,
  DeleteThingGroupCommand,
  DetachPolicyCommand,
  DetachThingPrincipalCommand,
  ListPolicyVersionsCommand,
  paginateListAttachedPolicies,
  paginateListCertificates,
  paginateListPolicies,
  paginateListPrincipalThings,
  paginateListTargetsForPolicy,
  paginateListThingGroups,
  paginateListThingGroupsForThing,
  paginateListThingPrincipals,
  paginateListThings,
  paginateListThingsInThingGroup,
  RemoveThingFromThingGroupCommand,
  SetDefaultPolicyVersionCommand,
  UpdateCertificateCommand,
  type IoTClient,
} from "@aws-sdk/client-iot";
import { expect } from "vitest";
import { allowEverything, makeRequestPem } from "./identities.ts";
import { RunningControlPlane } from "./running-control-plane.ts";

const clients = 50;
const names = ["a", "b", "c", "d", "e", "f"];
const account = "arn:aws:iot:us-east-1:000000000000";

/** What the API may answer when others change the same things at the same time. */
const expected: ReadonlySet<string> = new Set([
  "CertificateStateException",
  "DeleteConflictException",
  "InvalidRequestException",
  "LimitExceededException",
  "ResourceAlreadyExistsException",
  "ResourceNotFoundException",
  "VersionConflictException",
  "VersionsLimitExceededException",
]);

/** A sequence that is the same for a seed (xorshift32), so that a run can be repeated. */
function randomFrom(seed: number): <T>(items: readonly T[]) => T {
  let state = seed * 2_654_435_761 + 1;
  return <T>(items: readonly T[]): T => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return items[(state >>> 0) % items.length] as T;
  };
}

/** One call of one client, chosen by `pick`. `certificates` are ARNs that the clients share. */
function step(
  client: IoTClient,
  pick: ReturnType<typeof randomFrom>,
  certificates: string[],
  requestPem: string,
): Promise<unknown> {
  const [thingName, policyName, thingGroupName, principal] = [
    pick(names),
    pick(names),
    pick(names),
    pick(certificates),
  ];
  const target = pick([principal, `${account}:thinggroup/${thingGroupName}`]);
  const certificateId = principal.slice(principal.indexOf("/") + 1);
  const call = pick<() => Promise<unknown>>([
    () => client.send(new CreateThingCommand({ thingName })),
    () => client.send(new DeleteThingCommand({ thingName })),
    () => client.send(new CreatePolicyCommand({ policyName, policyDocument: allowEverything })),
    () => client.send(new CreatePolicyVersionCommand({ policyName, policyDocument: allowEverything })),
    () => client.send(new SetDefaultPolicyVersionCommand({ policyName, policyVersionId: pick(["1", "2", "3"]) })),
    () => client.send(new DeletePolicyCommand({ policyName })),
    () => client.send(new AttachPolicyCommand({ policyName, target })),
    () => client.send(new DetachPolicyCommand({ policyName, target })),
    () =>
      client.send(
        new AttachThingPrincipalCommand({
          thingName,
          principal,
          thingPrincipalType: pick(["EXCLUSIVE_THING", "NON_EXCLUSIVE_THING"]),
        }),
      ),
    () => client.send(new DetachThingPrincipalCommand({ thingName, principal })),
    () => client.send(new CreateThingGroupCommand({ thingGroupName, parentGroupName: pick([undefined, pick(names)]) })),
    () => client.send(new DeleteThingGroupCommand({ thingGroupName })),
    () => client.send(new AddThingToThingGroupCommand({ thingGroupName, thingName })),
    () => client.send(new RemoveThingFromThingGroupCommand({ thingGroupName, thingName })),
    () => client.send(new UpdateCertificateCommand({ certificateId, newStatus: pick(["ACTIVE", "INACTIVE"]) })),
    () => client.send(new DeleteCertificateCommand({ certificateId, forceDelete: pick([true, false]) })),
    async () => {
      const made = await client.send(new CreateCertificateFromCsrCommand({ certificateSigningRequest: requestPem }));
      if (made.certificateArn !== undefined) certificates.push(made.certificateArn);
      if (certificates.length > 40) certificates.shift();
    },
  ]);
  return call();
}

async function all<Page, Item>(
  pages: AsyncIterable<Page>,
  itemsOf: (page: Page) => readonly Item[] | undefined,
): Promise<Item[]> {
  const found: Item[] = [];
  for await (const page of pages) found.push(...(itemsOf(page) ?? []));
  return found;
}

/** Every relation of the registry is the same from both of its sides, and names only what exists. */
async function checkInvariants(client: IoTClient): Promise<void> {
  const paging = { client, pageSize: 250 };
  const certificates = (await all(paginateListCertificates(paging, {}), (page) => page.certificates)).map(
    (one) => one.certificateArn ?? "",
  );
  const policies = (await all(paginateListPolicies(paging, {}), (page) => page.policies)).map(
    (one) => one.policyName ?? "",
  );
  const things = (await all(paginateListThings(paging, {}), (page) => page.things)).map((one) => one.thingName ?? "");
  const groups = (await all(paginateListThingGroups(paging, {}), (page) => page.thingGroups)).map(
    (one) => one.groupName ?? "",
  );
  const targets = [...certificates, ...groups.map((group) => `${account}:thinggroup/${group}`)];

  const byTarget: string[] = [];
  for (const target of targets) {
    const attached = await all(paginateListAttachedPolicies(paging, { target }), (page) => page.policies);
    expect(attached.length).toBeLessThanOrEqual(target.includes(":cert/") ? 10 : 2);
    byTarget.push(...attached.map((one) => `${one.policyName} ${target}`));
  }
  const byPolicy: string[] = [];
  for (const policyName of policies) {
    const found = await all(paginateListTargetsForPolicy(paging, { policyName }), (page) => page.targets);
    byPolicy.push(...found.map((target) => `${policyName} ${target}`));
    const { policyVersions = [] } = await client.send(new ListPolicyVersionsCommand({ policyName }));
    expect(policyVersions.length).toBeLessThanOrEqual(5);
    expect(policyVersions.filter((one) => one.isDefaultVersion)).toHaveLength(1);
  }
  expect(byTarget.sort()).toEqual(byPolicy.sort());

  const byThing: string[] = [];
  const groupsByThing: string[] = [];
  for (const thingName of things) {
    const principals = await all(paginateListThingPrincipals(paging, { thingName }), (page) => page.principals);
    byThing.push(...principals.map((principal) => `${thingName} ${principal}`));
    const found = await all(paginateListThingGroupsForThing(paging, { thingName }), (page) => page.thingGroups);
    groupsByThing.push(...found.map((one) => `${one.groupName} ${thingName}`));
  }
  const byCertificate: string[] = [];
  for (const principal of certificates) {
    const found = await all(paginateListPrincipalThings(paging, { principal }), (page) => page.things);
    byCertificate.push(...found.map((thingName) => `${thingName} ${principal}`));
  }
  expect(byThing.sort()).toEqual(byCertificate.sort());
  const byGroup: string[] = [];
  for (const thingGroupName of groups) {
    const found = await all(paginateListThingsInThingGroup(paging, { thingGroupName }), (page) => page.things);
    byGroup.push(...found.map((thingName) => `${thingGroupName} ${thingName}`));
  }
  expect(groupsByThing.sort()).toEqual(byGroup.sort());
}

/** Fifty clients for so many seconds, then the look at the registry. */
export async function abuse(seconds: number): Promise<void> {
  await using plane = await RunningControlPlane.start();
  const certificates: string[] = [];
  const requestPem = makeRequestPem("device");
  const first = plane.client();
  for (let count = 0; count < 10; count++) {
    const made = await first.send(new CreateCertificateFromCsrCommand({ certificateSigningRequest: requestPem }));
    certificates.push(made.certificateArn ?? "");
  }
  const answers = new Map<string, number>();
  const endMs = performance.now() + seconds * 1000;
  const run = async (seed: number): Promise<void> => {
    const client = plane.client();
    const pick = randomFrom(seed + 1);
    while (performance.now() < endMs) {
      const name = await step(client, pick, certificates, requestPem).then(
        () => "done",
        (error: unknown) => (error instanceof Error ? error.name : String(error)),
      );
      answers.set(name, (answers.get(name) ?? 0) + 1);
    }
  };
  await Promise.all(Array.from({ length: clients }, (_, seed) => run(seed)));
  expect([...answers.keys()].filter((name) => name !== "done" && !expected.has(name))).toEqual([]);
  expect(answers.get("done")).toBeGreaterThan(100);
  await checkInvariants(first);
  expect(plane.log).not.toContain("control plane failed");
}
