import { expect, test, vi } from "vitest";
import { makeRepository, type FixtureRepository } from "./fixture-repository.ts";

vi.setConfig({ testTimeout: 300_000 });

const manifest = { name: "@latchkey/asn1", version: "1.2.3", license: "Apache-2.0", keywords: ["old"], bugs: "old" };

function repository(): FixtureRepository {
  return makeRepository({ "packages/asn1/package.json": JSON.stringify(manifest) });
}

async function run(fixture: FixtureRepository, ...words: string[]): Promise<{ status: number | null; output: string }> {
  return fixture.start(["metadata.ts", ...words]).ended;
}

test("a manifest that says something else is named with its fields, and --write mends it", async () => {
  using fixture = repository();
  const wrong = await run(fixture);
  expect(wrong).toEqual({
    status: 1,
    output: "packages/asn1/package.json: description, keywords, bugs: run npm run metadata -- --write\n",
  });
  // Looking changes nothing.
  expect(JSON.parse(fixture.read("packages/asn1/package.json"))).toEqual(manifest);

  expect(await run(fixture, "--write")).toEqual({ status: 0, output: "" });
  expect(await run(fixture)).toEqual({ status: 0, output: "" });
  const written = JSON.parse(fixture.read("packages/asn1/package.json"));
  expect(Object.keys(written)).toEqual(["name", "version", "description", "keywords", "license"]);
  expect(written).toMatchObject({ name: "@latchkey/asn1", version: "1.2.3", license: "Apache-2.0" });
  // Its own and those of every package, sorted.
  expect(written.keywords).toEqual(["asn1", "aws-iot", "ber", "der", "iot", "latchkey", "oid", "pem"]);
});

test("nothing is released while the repository has no address", async () => {
  using fixture = repository();
  await run(fixture, "--write");
  const refused = await run(fixture, "--release");
  expect(refused.status).toBe(1);
  expect(refused.output).toContain("The repository has no address: set repositoryAddress");

  fixture.rewrite("tooling/repository/src/metadata.ts", (text) =>
    text.replace('repositoryAddress: string = ""', 'repositoryAddress: string = "https://host.example/latch/key"'),
  );
  const stale = await run(fixture, "--release");
  expect(stale.status).toBe(1);
  expect(stale.output).toContain("packages/asn1/package.json: homepage, bugs, repository: run");
  await run(fixture, "--write");
  expect(await run(fixture, "--release")).toEqual({ status: 0, output: "" });
  expect(JSON.parse(fixture.read("packages/asn1/package.json"))).toMatchObject({
    homepage: "https://host.example/latch/key/tree/main/packages/asn1#readme",
    bugs: { url: "https://host.example/latch/key/issues" },
    repository: { type: "git", url: "git+https://host.example/latch/key.git", directory: "packages/asn1" },
  });
});

test("a package that the table does not have fails, and so does a word that is no option", async () => {
  using fixture = repository();
  fixture.write({ "packages/new/package.json": JSON.stringify({ name: "@latchkey/new", version: "0.0.0" }) });
  await run(fixture, "--write");
  expect(await run(fixture)).toEqual({
    status: 1,
    output: "packages/new/package.json: no description and keywords in tooling/repository/src/metadata.ts\n",
  });
  for (const words of [["--publish"], ["--write", "--release"]]) {
    expect(await run(fixture, ...words)).toEqual({ status: 2, output: "Usage: metadata.ts [--write | --release]\n" });
  }
});
