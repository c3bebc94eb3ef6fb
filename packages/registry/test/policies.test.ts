import { describe, expect, test } from "vitest";
import { certificateToPem } from "@latchkey/x509";
import { defaultScope as scope, type Page, type PageOptions } from "../src/index.ts";
import { allow, makeAuthority, makeRequestPem, Workshop } from "./workshop.ts";

const document = allow("iot:Publish", "topic/a");
const cert = (certificateId: string) => ({ kind: "cert", certificateId }) as const;
const group = (thingGroupName: string) => ({ kind: "thinggroup", thingGroupName }) as const;

describe("versions", () => {
  test("count up, at most five at once, and no number comes twice", async () => {
    await using workshop = await Workshop.open();
    const { policies } = workshop.registry;
    await policies.create(scope, "p", document);
    for (let i = 2; i <= 5; i++) expect((await policies.createVersion(scope, "p", document)).versionId).toBe(String(i));
    await expect(policies.createVersion(scope, "p", document)).rejects.toMatchObject({
      code: "ERR_REGISTRY_VERSIONS_LIMIT",
    });
    await policies.deleteVersion(scope, "p", "5");
    expect((await policies.createVersion(scope, "p", document)).versionId).toBe("6");
    expect(policies.listVersions(scope, "p").map((one) => [one.versionId, one.isDefaultVersion])).toEqual([
      ["6", false],
      ["4", false],
      ["3", false],
      ["2", false],
      ["1", true],
    ]);
  });

  test("the default one counts, is not deleted, and another can become it", async () => {
    await using workshop = await Workshop.open();
    const { policies } = workshop.registry;
    const other = allow("iot:Publish", "topic/b");
    await policies.create(scope, "p", document);
    await policies.createVersion(scope, "p", other);
    expect(policies.get(scope, "p").document).toBe(document);
    await policies.setDefaultVersion(scope, "p", "2");
    expect(policies.get(scope, "p")).toMatchObject({ document: other, defaultVersionId: "2" });
    await expect(policies.deleteVersion(scope, "p", "2")).rejects.toMatchObject({
      code: "ERR_REGISTRY_DELETE_CONFLICT",
    });
    await policies.createVersion(scope, "p", document, { setAsDefault: true });
    expect(policies.getVersion(scope, "p", "3").isDefaultVersion).toBe(true);
    await expect(policies.setDefaultVersion(scope, "p", "9")).rejects.toMatchObject({ code: "ERR_REGISTRY_NOT_FOUND" });
    expect(() => policies.getVersion(scope, "p", "x")).toThrow(
      expect.objectContaining({ code: "ERR_REGISTRY_INVALID" }),
    );
  });
});

describe("creating", () => {
  test.each([
    ["a name with a space", "a b", document, "ERR_REGISTRY_INVALID"],
    ["a name with a slash", "a/b", document, "ERR_REGISTRY_INVALID"],
    ["a name of 129", "x".repeat(129), document, "ERR_REGISTRY_INVALID"],
    ["no name", "", document, "ERR_REGISTRY_INVALID"],
    ["what is no JSON", "p", "{", "ERR_REGISTRY_MALFORMED_POLICY"],
    [
      "2,049 characters",
      "p",
      allow("iot:Publish", `topic/${"x".repeat(2049 - allow("iot:Publish", "topic/").length)}`),
      "ERR_REGISTRY_MALFORMED_POLICY",
    ],
  ])("refuses %s, and stores nothing", async (_, name, text, code) => {
    await using workshop = await Workshop.open();
    await expect(workshop.registry.policies.create(scope, name, text)).rejects.toMatchObject({ code });
    expect(workshop.registry.policies.list(scope).items).toEqual([]);
  });

  test("takes 2,048 characters, and refuses the same name again without changing it", async () => {
    await using workshop = await Workshop.open();
    const { policies } = workshop.registry;
    const long = allow("iot:Publish", `topic/${"x".repeat(2048 - allow("iot:Publish", "topic/").length)}`);
    expect(long).toHaveLength(2048);
    await policies.create(scope, "p", long);
    await expect(policies.create(scope, "p", document)).rejects.toMatchObject({
      code: "ERR_REGISTRY_ALREADY_EXISTS",
      evidence: { resourceArn: "arn:aws:iot:us-east-1:000000000000:policy/p" },
    });
    expect(policies.get(scope, "p").document).toBe(long);
  });
});

describe("attaching", () => {
  test("ten to a certificate, two to a group, each once", async () => {
    await using workshop = await Workshop.open();
    const { policies, certificates, thingGroups } = workshop.registry;
    const { certificateId } = await certificates.createFromCsr(scope, makeRequestPem());
    await thingGroups.create(scope, "g");
    for (let i = 0; i <= 10; i++) await policies.create(scope, `p${i}`, document);
    for (let i = 0; i < 10; i++) await policies.attach(scope, `p${i}`, cert(certificateId));
    await policies.attach(scope, "p0", cert(certificateId));
    await expect(policies.attach(scope, "p10", cert(certificateId))).rejects.toMatchObject({
      code: "ERR_REGISTRY_LIMIT",
      evidence: { limit: 10, found: 11 },
    });
    await policies.attach(scope, "p0", group("g"));
    await policies.attach(scope, "p1", group("g"));
    await expect(policies.attach(scope, "p2", group("g"))).rejects.toMatchObject({ code: "ERR_REGISTRY_LIMIT" });
    expect(policies.listTargets(scope, "p0").items).toEqual([
      `arn:aws:iot:us-east-1:000000000000:cert/${certificateId}`,
      "arn:aws:iot:us-east-1:000000000000:thinggroup/g",
    ]);
    expect(policies.listAttached(scope, group("g")).items).toEqual(["p0", "p1"]);
  });

  test("to what does not exist is refused", async () => {
    await using workshop = await Workshop.open();
    const { policies } = workshop.registry;
    await policies.create(scope, "p", document);
    for (const target of [cert("0".repeat(64)), group("none")]) {
      await expect(policies.attach(scope, "p", target)).rejects.toMatchObject({ code: "ERR_REGISTRY_NOT_FOUND" });
    }
    await expect(policies.attach(scope, "none", group("g"))).rejects.toMatchObject({ code: "ERR_REGISTRY_NOT_FOUND" });
  });

  test("recursively lists those of the groups above", async () => {
    await using workshop = await Workshop.open();
    const { policies, thingGroups } = workshop.registry;
    await thingGroups.create(scope, "root");
    await thingGroups.create(scope, "leaf", { parentGroupName: "root" });
    await policies.create(scope, "of-root", document);
    await policies.create(scope, "of-leaf", document);
    await policies.attach(scope, "of-root", group("root"));
    await policies.attach(scope, "of-leaf", group("leaf"));
    expect(policies.listAttached(scope, group("leaf")).items).toEqual(["of-leaf"]);
    expect(policies.listAttached(scope, group("leaf"), { recursive: true }).items).toEqual(["of-root", "of-leaf"]);
    const page = policies.listAttached(scope, group("leaf"), { recursive: true, pageSize: 1 });
    expect(policies.listAttached(scope, group("leaf"), { recursive: true, nextToken: page.nextToken }).items).toEqual([
      "of-leaf",
    ]);
    await policies.attach(scope, "of-leaf", group("root"));
    await policies.detach(scope, "of-leaf", group("leaf"));
    await policies.attach(scope, "of-leaf", group("leaf"));
    expect(policies.listAttached(scope, group("leaf"), { recursive: true }).items).toEqual(["of-root", "of-leaf"]);
  });
});

describe("lists", () => {
  /** All items, page by page. */
  const pages = (list: (options: PageOptions) => Page<string>, isDescending: boolean): readonly string[] => {
    const items: string[] = [];
    for (let nextToken: string | undefined; ;) {
      const page = list({ pageSize: 2, isDescending, nextToken });
      items.push(...page.items);
      if (page.nextToken === undefined) return items;
      nextToken = page.nextToken;
    }
  };

  test("policies go by their age, what they are attached to by the age of the attachment", async () => {
    await using workshop = await Workshop.open();
    const { policies, certificates } = workshop.registry;
    const names = ["zebra", "apple", "Mango", "kiwi", "fig"];
    for (const name of names) await policies.create(scope, name, document);
    const byName = (options: PageOptions): Page<string> => {
      const page = policies.list(scope, options);
      return { ...page, items: page.items.map(({ policyName }) => policyName) };
    };
    expect(pages(byName, false)).toEqual(names);
    expect(pages(byName, true)).toEqual(names.toReversed());
    await policies.delete(scope, "apple");
    await policies.create(scope, "apple", document);
    await policies.createVersion(scope, "zebra", document, { setAsDefault: true });
    expect(pages(byName, false)).toEqual(["zebra", "Mango", "kiwi", "fig", "apple"]);

    const ids: string[] = [];
    for (let count = 0; count < 5; count++) {
      ids.push((await certificates.createFromCsr(scope, makeRequestPem())).certificateId);
    }
    const attachedFirst = [3, 0, 4, 1, 2].map((index) => ids[index] ?? "");
    for (const id of attachedFirst) await policies.attach(scope, "kiwi", cert(id));
    const arnOf = (id: string): string => `arn:aws:iot:us-east-1:000000000000:cert/${id}`;
    const targets = (options: PageOptions): Page<string> => policies.listTargets(scope, "kiwi", options);
    expect(pages(targets, false)).toEqual(attachedFirst.map(arnOf));
    expect(pages(targets, true)).toEqual(attachedFirst.toReversed().map(arnOf));
    await policies.detach(scope, "kiwi", cert(attachedFirst[0] ?? ""));
    await policies.attach(scope, "kiwi", cert(attachedFirst[0] ?? ""));
    const [first = "", ...others] = attachedFirst;
    expect(pages(targets, false)).toEqual([...others, first].map(arnOf));

    for (const name of ["zebra", "apple"]) await policies.attach(scope, name, cert(first));
    const attached = (options: PageOptions): Page<string> => policies.listAttached(scope, cert(first), options);
    expect(pages(attached, false)).toEqual(["kiwi", "zebra", "apple"]);
    expect(pages(attached, true)).toEqual(["apple", "zebra", "kiwi"]);
  });

  test("certificate authorities go by their age", async () => {
    await using workshop = await Workshop.open();
    const { authorities } = workshop.registry;
    const ids: string[] = [];
    for (const name of ["c", "a", "b"]) {
      const caCertificatePem = certificateToPem(makeAuthority(name).certificate);
      const { certificateId } = await authorities.register(scope, { caCertificatePem, certificateMode: "SNI_ONLY" });
      ids.push(certificateId);
    }
    const own = (options: PageOptions): Page<string> => {
      const page = authorities.list(scope, options);
      return { ...page, items: page.items.filter((one) => !one.isLocal).map((one) => one.certificateId) };
    };
    expect(pages(own, false)).toEqual(ids);
    await authorities.update(scope, ids[0] ?? "", { status: "ACTIVE" });
    expect(pages(own, true)).toEqual(ids.toReversed());
    await authorities.delete(scope, ids[1] ?? "");
    expect(pages(own, false)).toEqual([ids[0], ids[2]]);
  });
});

describe("deleting", () => {
  test("names ten targets of a policy at most", async () => {
    await using workshop = await Workshop.open();
    const { policies, thingGroups } = workshop.registry;
    await policies.create(scope, "p", document);
    for (let count = 0; count < 12; count++) {
      await thingGroups.create(scope, `g${count}`);
      await policies.attach(scope, "p", group(`g${count}`));
    }
    await expect(policies.delete(scope, "p")).rejects.toMatchObject({
      code: "ERR_REGISTRY_DELETE_CONFLICT",
      message: expect.stringMatching(/thinggroup\/g0, .*thinggroup\/g9, and others$/) as string,
      evidence: { attached: Array.from({ length: 10 }, (_, index) => `thinggroup/g${index}`) },
    });
  });

  test("is refused while it is attached or has other versions", async () => {
    await using workshop = await Workshop.open();
    const { policies, thingGroups } = workshop.registry;
    await thingGroups.create(scope, "g");
    await policies.create(scope, "p", document);
    await policies.attach(scope, "p", group("g"));
    await expect(policies.delete(scope, "p")).rejects.toMatchObject({
      code: "ERR_REGISTRY_DELETE_CONFLICT",
      evidence: { attached: ["thinggroup/g"] },
    });
    await policies.detach(scope, "p", group("g"));
    await policies.detach(scope, "p", group("g"));
    await policies.createVersion(scope, "p", document);
    await expect(policies.delete(scope, "p")).rejects.toMatchObject({ evidence: { attached: ["version 2"] } });
    await policies.deleteVersion(scope, "p", "2");
    await policies.delete(scope, "p");
    expect(() => policies.get(scope, "p")).toThrow(expect.objectContaining({ code: "ERR_REGISTRY_NOT_FOUND" }));
  });
});

test("targets are read from their ARNs, those of this account and region alone", async () => {
  await using workshop = await Workshop.open();
  const { policies } = workshop.registry;
  expect(policies.targetOfArn(scope, "arn:aws:iot:us-east-1:000000000000:thinggroup/g")).toEqual(group("g"));
  for (const arn of [
    "g",
    "arn:aws:iot:us-east-1:000000000001:thinggroup/g",
    "arn:aws:iot:us-east-1:000000000000:thing/t",
  ]) {
    expect(() => policies.targetOfArn(scope, arn)).toThrow(expect.objectContaining({ code: "ERR_REGISTRY_INVALID" }));
  }
});

test("every change of a version is in the feed, that of one which is not the default, too", async () => {
  await using workshop = await Workshop.open();
  const { policies } = workshop.registry;
  await policies.create(scope, "p", allow("iot:Connect", "*"));
  for (const step of [
    () => policies.createVersion(scope, "p", allow("iot:Publish", "*")),
    () => policies.deleteVersion(scope, "p", "2"),
  ]) {
    const before = workshop.registry.sequence();
    await step();
    expect(workshop.registry.changesAfter(before)).toMatchObject({
      isComplete: true,
      changes: [{ kind: "policy", touches: ["000000000000:us-east-1/policy/p"] }],
    });
  }
});
