import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { UsageError } from "@latchkey/command-line";
import { afterAll, describe, expect, test } from "vitest";
import { readRefusalFiles, readRefusedRequests } from "../../src/commands/refused-requests.ts";
import { RotatingFile } from "../../src/observability/rotating-file.ts";

const arn = "arn:aws:iot:eu-west-1:000000000000";
const refusal = (fields: object): string =>
  JSON.stringify({
    time: "2026-11-27T12:00:00.000Z",
    sequence: 1,
    clientId: "lamp",
    certificateId: "ab12",
    account: "000000000000",
    action: "publish",
    name: "a",
    decision: "implicit-deny",
    reason: "no statement allows it",
    times: 3,
    ...fields,
  });
const fileOf = (text: string) => ({ file: "decisions.jsonl", text });
const read = (lines: readonly string[], more: object = {}) =>
  readRefusedRequests([fileOf(`${lines.join("\n")}\n`)], { region: "eu-west-1", ...more });

test("each refusal is a request, once", () => {
  const refused = [
    ["connect", "lamp", "iot:Connect", "client/lamp"],
    ["publish", "a/b", "iot:Publish", "topic/a/b"],
    ["retain-publish", "a/b", "iot:RetainPublish", "topic/a/b"],
    ["subscribe", "a/#", "iot:Subscribe", "topicfilter/a/#"],
    ["receive", "a/c", "iot:Receive", "topic/a/c"],
  ] as const;
  const lines = refused.map(([action, name]) => refusal({ action, name }));
  const context = { protocol: "mqtt", clientId: "lamp", certificateId: "ab12" };
  expect(read([...lines, ...lines])).toEqual({
    requests: refused.map(([, , action, name]) => ({ action, resource: `${arn}:${name}`, context })),
    explicitlyDenied: 0,
    brokenLines: 0,
  });
});

test("only those of a client or of a certificate, without what a Deny statement refuses", () => {
  const lines = [
    refusal({ name: "1" }),
    refusal({ name: "2", clientId: "fan" }),
    refusal({ name: "3", clientId: undefined, certificateId: "cd34" }),
    refusal({ name: "4", decision: "explicit-deny" }),
  ];
  const names = (more: object) => read(lines, more).requests.map(({ resource }) => resource.slice(-1));
  expect(names({})).toEqual(["1", "2", "3"]);
  expect(names({ clientId: "fan" })).toEqual(["2"]);
  expect(names({ certificateId: "cd" })).toEqual(["3"]);
  expect(read(lines).explicitlyDenied).toBe(1);
  expect(read(lines, { certificateId: "cd" }).requests[0]?.context.protocol).toBe("https");
});

test("a line that is no refusal is refused with its number, and one that is cut off is left out", () => {
  for (const line of ["[]", refusal({ action: "toString" }), refusal({ name: 1 }), refusal({ clientId: 1 })]) {
    expect(() => read([refusal({}), line])).toThrow(/^line 2 of decisions\.jsonl is no refusal/);
  }
  const cut = [refusal({ name: "b" }).slice(0, 40), refusal({}), refusal({ name: "c" }).slice(0, 40)];
  expect(read(cut)).toMatchObject({ requests: [{ resource: `${arn}:topic/a` }], brokenLines: 2 });
  expect(() => read(["a list of something else"])).toThrow(/^line 1 of decisions\.jsonl is no refusal/);
  expect(read([""])).toEqual({ requests: [], explicitlyDenied: 0, brokenLines: 0 });
});

describe("files", () => {
  const folder = mkdtempSync(join(tmpdir(), "latchkey-refused-"));
  afterAll(() => rmSync(folder, { recursive: true }));
  const namesIn = async (file: string): Promise<readonly string[]> =>
    (await readRefusalFiles(file)).map((one) => one.file);

  test("the full ones stand beside the file, oldest first, until a number is missing", async () => {
    const file = join(folder, "a.jsonl");
    for (const end of ["", ".1", ".2", ".4", ".1.gz"]) writeFileSync(`${file}${end}`, refusal({ name: `topic${end}` }));
    expect(await namesIn(file)).toEqual([`${file}.2`, `${file}.1`, file]);
    const { requests } = readRefusedRequests(await readRefusalFiles(file), { region: "eu-west-1" });
    expect(requests.map(({ resource }) => resource)).toEqual([
      `${arn}:topic/topic.2`,
      `${arn}:topic/topic.1`,
      `${arn}:topic/topic`,
    ]);
    writeFileSync(`${file}.1`, "[]");
    const files = await readRefusalFiles(file);
    expect(() => readRefusedRequests(files, { region: "eu-west-1" })).toThrow(/^line 1 of .*a\.jsonl\.1 is no/);
  });

  test("the file may be missing for the moment of a renaming, and not altogether", async () => {
    const file = join(folder, "b.jsonl");
    await expect(readRefusalFiles(file)).rejects.toThrow(/^--decisions cannot be read: ENOENT: .*b\.jsonl'/);
    writeFileSync(`${file}.1`, "");
    expect(await namesIn(file)).toEqual([`${file}.1`]);
    await expect(readRefusalFiles(folder)).rejects.toThrow(/^--decisions cannot be read: EISDIR/);
  });

  test("what the broker's rotating file writes is read whole, also behind a line that a crash has cut off", async () => {
    const file = join(folder, "c.jsonl");
    writeFileSync(file, refusal({ name: "cut off" }).slice(0, 50));
    const names = Array.from({ length: 12 }, (_, index) => `t/${index}`);
    const onFailed = (error: unknown): never => {
      throw error;
    };
    for (const name of names) {
      await using rotating = new RotatingFile({ file, maximumOctets: 1000, maximumFiles: 10, onFailed });
      rotating.write(`${refusal({ name })}\n`);
    }
    expect((await namesIn(file)).length).toBeGreaterThan(2);
    const found = readRefusedRequests(await readRefusalFiles(file), { region: "eu-west-1" });
    expect(found.requests.map(({ resource }) => resource)).toEqual(names.map((name) => `${arn}:topic/${name}`));
    expect(found.brokenLines).toBe(1);
  });
});

test("more different requests than a policy could have are refused", () => {
  const lines = Array.from({ length: 1001 }, (_, index) => refusal({ name: `t/${index}` }));
  expect(read(lines.slice(1)).requests).toHaveLength(1000);
  expect(() => read(lines)).toThrow(UsageError);
});
