/** A change that another process makes acts on a live connection within 100 ms. For so many changes. */

import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";
import { defaultScope as scope, type ConnectionRights } from "../src/index.ts";
import { openSqliteStorage, watchChanges } from "../src/node.ts";
import { Workshop } from "./workshop.ts";

const program = fileURLToPath(new URL("./revoker.ts", import.meta.url));
const promisedMs = 100;

/** Of an odd number. */
function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Infinity;
}

/** Registers the test, for an odd number of changes. */
export function testSecondProcess(changes: number): void {
  const folder = mkdtempSync(join(tmpdir(), "latchkey-second-process-"));
  afterAll(() => rmSync(folder, { recursive: true }));
  let files = 0;

  // A machine that is busy with other things can hold up either process for longer: half of the changes count, and another try.
  test(`half of ${changes} revocations by another process within ${promisedMs} ms`, { retry: 3 }, async () => {
    const file = join(folder, `${files++}.db`);
    const storage = openSqliteStorage(file);
    await using workshop = await Workshop.open({ storage });
    const table = workshop.registry.connectionRights();
    const live = new Map<string, ConnectionRights>();
    for (let i = 0; i < changes; i++) {
      const { id, der } = await workshop.activeDevice();
      const result = await workshop.registry.resolvePrincipal([der], undefined);
      if (result.ok) live.set(id, table.open(result.principal, `c${i}`));
    }
    expect(live.size).toBe(changes);
    let seen = Promise.withResolvers<number>();
    const watcher = watchChanges(storage, {
      onChanges: (batch) => {
        for (const { refusal } of table.apply(batch)) if (refusal !== undefined) seen.resolve(Date.now());
      },
      onReset: () => seen.reject(new Error("reset")),
      onError: (error) => seen.reject(error),
    });
    const child = spawn(process.execPath, ["--conditions=@latchkey/source", program, file], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    const ended = new Promise((resolve) => child.once("close", resolve));
    const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const tookMs: number[] = [];
    try {
      for (const [id, rights] of live) {
        seen = Promise.withResolvers();
        child.stdin.write(`${id}\n`);
        const begun = Number((await answers.next()).value);
        tookMs.push((await seen.promise) - begun);
        expect(rights.refusal).toContain("REVOKED");
        expect(
          await workshop.registry.resolvePrincipal([rights.principal.certificate.encoding], undefined),
        ).toMatchObject({
          code: "ERR_IDENTITY_NOT_ACTIVE",
        });
      }
    } finally {
      child.stdin.end();
      await ended;
      watcher[Symbol.dispose]();
    }
    expect(workshop.registry.certificates.list(scope).items.every(({ status }) => status === "REVOKED")).toBe(true);
    expect(median(tookMs)).toBeLessThan(promisedMs);
  });
}
