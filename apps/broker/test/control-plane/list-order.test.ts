/** Lists with `ascendingOrder` go by the age of what they list: the newest first unless it is true, page by page to the end. */

import {
  AttachPolicyCommand,
  CreateCertificateFromCsrCommand,
  CreatePolicyCommand,
  DescribeCertificateCommand,
  paginateListCACertificates,
  paginateListCertificates,
  paginateListCertificatesByCA,
  paginateListOutgoingCertificates,
  paginateListPolicies,
  paginateListPolicyPrincipals,
  paginateListPrincipalPolicies,
  RegisterCACertificateCommand,
  TransferCertificateCommand,
  type IoTClient,
} from "@aws-sdk/client-iot";
import { certificateToPem } from "@latchkey/x509";
import { afterAll, beforeAll, expect, test } from "vitest";
import { registryOperations } from "../../src/control-plane/operations/all.ts";
import { allowEverything, makeAuthority, makeRequestPem } from "./identities.ts";
import { RunningControlPlane } from "./running-control-plane.ts";

/** All names of a list. */
type Walk = (ascendingOrder: boolean | undefined) => Promise<(string | undefined)[]>;

const count = 5;
const policyNames = ["zebra", "apple", "Mango", "kiwi", "fig"];
let plane: RunningControlPlane;
let client: IoTClient;
const certificateIds: string[] = [];
const certificateArns: string[] = [];
const authorityIds: string[] = [];
let caCertificateId = "";

beforeAll(async () => {
  plane = await RunningControlPlane.start();
  client = plane.client();
  await plane.createKey("administrator", "111122223333");
  for (let index = 0; index < count; index++) {
    const certificateSigningRequest = makeRequestPem(`device ${index}`);
    const made = await client.send(new CreateCertificateFromCsrCommand({ certificateSigningRequest }));
    certificateIds.push(made.certificateId ?? "");
    certificateArns.push(made.certificateArn ?? "");
    const caCertificate = certificateToPem(makeAuthority(`own ${index}`).certificate);
    const { certificateId = "" } = await client.send(
      new RegisterCACertificateCommand({ caCertificate, certificateMode: "SNI_ONLY" }),
    );
    authorityIds.push(certificateId);
  }
  const described = await client.send(new DescribeCertificateCommand({ certificateId: certificateIds[0] }));
  caCertificateId = described.certificateDescription?.caCertificateId ?? "";
  for (const policyName of policyNames) {
    await client.send(new CreatePolicyCommand({ policyName, policyDocument: allowEverything }));
  }
});
afterAll(() => plane[Symbol.asyncDispose]());

async function namesOf<Page>(
  pages: AsyncIterable<Page>,
  names: (page: Page) => readonly (string | undefined)[] | undefined,
): Promise<(string | undefined)[]> {
  const found: (string | undefined)[] = [];
  for await (const page of pages) found.push(...(names(page) ?? []));
  return found;
}

async function expectOrder(walk: Walk, oldestFirst: readonly string[]): Promise<void> {
  expect(await walk(true)).toEqual(oldestFirst);
  expect(await walk(false)).toEqual(oldestFirst.toReversed());
  expect(await walk(undefined)).toEqual(oldestFirst.toReversed());
}

const two = (): { client: IoTClient; pageSize: number } => ({ client, pageSize: 2 });

test("ListCertificates and ListCertificatesByCA", async () => {
  const all: Walk = (ascendingOrder) =>
    namesOf(paginateListCertificates(two(), { ascendingOrder }), ({ certificates }) =>
      certificates?.map((one) => one.certificateId),
    );
  await expectOrder(all, certificateIds);
  const byAuthority: Walk = (ascendingOrder) =>
    namesOf(paginateListCertificatesByCA(two(), { caCertificateId, ascendingOrder }), ({ certificates }) =>
      certificates?.map((one) => one.certificateId),
    );
  await expectOrder(byAuthority, certificateIds);
});

test("ListCACertificates", async () => {
  const walk: Walk = (ascendingOrder) =>
    namesOf(paginateListCACertificates(two(), { ascendingOrder }), ({ certificates }) =>
      certificates?.map((one) => one.certificateId),
    );
  // The broker's own authority is the oldest.
  await expectOrder(walk, [caCertificateId, ...authorityIds]);
});

test("ListPolicies", async () => {
  const walk: Walk = (ascendingOrder) =>
    namesOf(paginateListPolicies(two(), { ascendingOrder }), ({ policies }) => policies?.map((one) => one.policyName));
  await expectOrder(walk, policyNames);
});

test("ListPolicyPrincipals and ListPrincipalPolicies go by the attachment", async () => {
  const targets = [3, 0, 4, 1, 2].map((index) => certificateArns[index] ?? "");
  const [principal = ""] = targets;
  for (const target of targets) await client.send(new AttachPolicyCommand({ policyName: "kiwi", target }));
  for (const policyName of ["zebra", "fig", "apple"]) {
    await client.send(new AttachPolicyCommand({ policyName, target: principal }));
  }
  const principals: Walk = (ascendingOrder) =>
    namesOf(paginateListPolicyPrincipals(two(), { policyName: "kiwi", ascendingOrder }), (page) => page.principals);
  await expectOrder(principals, targets);
  const policies: Walk = (ascendingOrder) =>
    namesOf(paginateListPrincipalPolicies(two(), { principal, ascendingOrder }), (page) =>
      page.policies?.map((one) => one.policyName),
    );
  await expectOrder(policies, ["kiwi", "zebra", "fig", "apple"]);
});

test("ListOutgoingCertificates", async () => {
  const offered: string[] = [];
  for (let index = 0; index < count; index++) {
    const certificateSigningRequest = makeRequestPem(`offered ${index}`);
    const { certificateId = "" } = await client.send(
      new CreateCertificateFromCsrCommand({ certificateSigningRequest }),
    );
    await client.send(new TransferCertificateCommand({ certificateId, targetAwsAccount: "111122223333" }));
    offered.push(certificateId);
  }
  const walk: Walk = (ascendingOrder) =>
    namesOf(paginateListOutgoingCertificates(two(), { ascendingOrder }), (page) =>
      page.outgoingCertificates?.map((one) => one.certificateId),
    );
  await expectOrder(walk, offered);
});

test("these are all that have such a member", () => {
  const found = registryOperations.filter(({ members }) => "ascendingOrder" in members).map(({ name }) => name);
  expect(found.sort()).toEqual([
    "ListCACertificates",
    "ListCertificates",
    "ListCertificatesByCA",
    "ListOutgoingCertificates",
    "ListPolicies",
    "ListPolicyPrincipals",
    "ListPrincipalPolicies",
  ]);
});
