import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type RequestListener } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { corpora, type CorpusFile } from "@latchkey/tooling-vitest/corpora";
import { expect, onTestFinished, test } from "vitest";
import { fetchCorpora } from "../src/fetch-corpora.ts";

const bodies: Readonly<Record<string, string>> = { "/LICENSE": "free", "/suite/a.json": "[1]", "/suite/b.json": "[2]" };
const script = fileURLToPath(new URL("../src/vectors.ts", import.meta.url));

/** A server with the files above, on which `answer` may answer first; and a folder to fetch into. */
async function setUp(
  answer: (...words: Parameters<RequestListener>) => boolean = () => false,
): Promise<{ readonly files: CorpusFile[]; readonly place: string; readonly into: string }> {
  const server = createServer((request, response) => {
    if (!answer(request, response)) response.end(bodies[request.url ?? ""]);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const place = mkdtempSync(join(tmpdir(), "latchkey-corpora-"));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
    rmSync(place, { recursive: true });
  });
  const files = Object.entries(bodies).map(([path, body]) => ({
    path: path.slice(1),
    address: `http://127.0.0.1:${port}${path}`,
    sha256: createHash("sha256").update(body).digest("hex"),
  }));
  return { files, place, into: join(place, "deep/vectors") };
}

const never = new AbortController().signal;

test("every file is put where it belongs, and its hash was looked at", async () => {
  const { files, place, into } = await setUp();
  const seen: string[] = [];
  await fetchCorpora(files, into, { signal: never, onFile: ({ path }) => seen.push(path) });
  for (const [path, body] of Object.entries(bodies)) expect(readFileSync(join(into, path), "utf8")).toBe(body);
  expect(seen.sort()).toEqual(["LICENSE", "suite/a.json", "suite/b.json"]);
  expect(readdirSync(join(place, "deep"))).toEqual(["vectors"]);
});

const failures: readonly (readonly [string, (...words: Parameters<RequestListener>) => boolean, RegExp])[] = [
  [
    "another file than the one that was pinned",
    (_request, response) => response.end("[3]") !== undefined,
    /^suite\/b\.json: SHA-256 is [0-9a-f]{64}, not [0-9a-f]{64} \(3 octets\)$/u,
  ],
  [
    "a body that is cut off",
    (_request, response) => {
      response.writeHead(200, { "content-length": "3" }).write("[");
      setImmediate(() => response.destroy());
      return true;
    },
    /^suite\/b\.json: http:\S+ cannot be read: other side closed$/u,
  ],
  [
    "a body that is cut off without a length, as in HTTP 1.0",
    (_request, response) => {
      response.socket?.end("HTTP/1.0 200 OK\r\n\r\n[");
      return true;
    },
    /^suite\/b\.json: SHA-256 is \w+, not \w+ \(1 octets\)$/u,
  ],
  [
    "a missing file",
    (_request, response) => response.writeHead(404).end() !== undefined,
    /^suite\/b\.json: http:\S+ answered 404$/u,
  ],
  [
    "a file without end",
    (_request, response) => {
      const more = (): void => {
        while (!response.destroyed && response.write("x".repeat(65_536)));
      };
      response.on("drain", more);
      more();
      return true;
    },
    /^suite\/b\.json: http:\S+ sends more than 1000000 octets$/u,
  ],
];

test.each(failures)("%s: nothing is written", async (_name, answer, message) => {
  const { files, place, into } = await setUp(
    (request, response) => request.url === "/suite/b.json" && answer(request, response),
  );
  const fetched = fetchCorpora(files, into, { signal: never, maximumOctets: 1_000_000 });
  await expect(fetched).rejects.toThrow(message);
  await expect(fetched).rejects.toMatchObject({ name: "FetchError" });
  expect(readdirSync(join(place, "deep"))).toEqual([]);
});

test("no server: nothing is written", async () => {
  const { files, place, into } = await setUp();
  const unreachable = files.map((file) => ({ ...file, address: "http://127.0.0.1:1/none" }));
  await expect(fetchCorpora(unreachable, into, { signal: never })).rejects.toThrow(/cannot be read: /u);
  expect(readdirSync(join(place, "deep"))).toEqual([]);
});

test("interrupted during a transfer: nothing is written", async () => {
  const stopping = new AbortController();
  const { files, place, into } = await setUp((request, response) => {
    if (request.url !== "/suite/b.json") return false;
    response.write("[");
    stopping.abort();
    return true;
  });
  await expect(fetchCorpora(files, into, { signal: stopping.signal })).rejects.toThrow("interrupted");
  expect(readdirSync(join(place, "deep"))).toEqual([]);
});

test("a folder that exists is left as it is, and nothing is asked for", async () => {
  let requests = 0;
  const { files, place } = await setUp(() => {
    requests++;
    return false;
  });
  const into = join(place, "vectors");
  mkdirSync(into);
  writeFileSync(join(into, "mine.json"), "[]");
  await expect(fetchCorpora(files, into, { signal: never })).rejects.toThrow("exists: name a folder that does not");
  expect(readdirSync(place)).toEqual(["vectors"]);
  expect(readdirSync(into)).toEqual(["mine.json"]);
  expect(requests).toBe(0);

  // The command says the same in one line.
  const command = promisify(execFile)(process.execPath, [script, "--into", into]);
  await expect(command).rejects.toMatchObject({
    code: 1,
    stderr: `${into} exists: name a folder that does not, or remove it\n`,
  });
});

test.each([[[]], [["--into"]], [["folder"]], [["--onto", "folder"]]])(
  "the command says how it is used: %j",
  async (words) => {
    await expect(promisify(execFile)(process.execPath, [script, ...words])).rejects.toMatchObject({
      code: 2,
      stderr: "Usage: npm run vectors -- --into FOLDER\n",
    });
  },
);

test("each file of the table is pinned to a commit and a hash, and has a path of its own below the folder", () => {
  const files = corpora.flatMap((corpus) => corpus.files);
  expect(files.length).toBeGreaterThan(50);
  for (const { path, address, sha256 } of files) {
    expect(address).toMatch(/^https:\/\/raw\.githubusercontent\.com\/C2SP\/[\w-]+\/[0-9a-f]{40}\/[\w/]+(?:\.json)?$/u);
    expect(sha256).toMatch(/^[0-9a-f]{64}$/u);
    expect(path).toMatch(/^[a-z\d][\w-]*(?:\/[\w-]+)?(?:\.json)?$/u);
  }
  expect(new Set(files.map(({ path }) => path)).size).toBe(files.length);
});
