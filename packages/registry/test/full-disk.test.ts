/** A registry whose disk is full: who is known connects, what would be written is refused by name, and it goes on once there is room. */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findProgram, runProgram } from "@latchkey/tooling-vitest/programs";
import { afterAll, afterEach, beforeEach, describe, expect, test } from "vitest";
import { defaultScope as scope } from "../src/index.ts";
import { openSqliteStorage } from "../src/node.ts";
import { allow, idOf, makeAuthority, makeDevice, makeRequestPem, pemOf, Workshop } from "./workshop.ts";

const folder = mkdtempSync(join(tmpdir(), "latchkey-full-disk-"));
afterAll(() => rmSync(folder, { recursive: true }));
const mount = findProgram("mount");
const isRoot = process.getuid?.() === 0;

describe.skipIf(!isRoot || mount.path === undefined)(
  `on a disk of 2 MiB (${isRoot ? mount.skipReason : "needs root"})`,
  () => {
    let disk: string;
    let count = 0;
    beforeEach(async () => {
      disk = join(folder, String(count++));
      mkdirSync(disk);
      const words = ["-t", "tmpfs", "-o", "size=2m", "tmpfs", disk];
      expect(await runProgram(mount.path ?? "", words)).toMatchObject({ code: 0 });
    });
    afterEach(() => runProgram("/bin/umount", [disk]));

    /** Leaves no room. Gives what makes room again. */
    function fill(): () => void {
      const files: string[] = [];
      const free = (): void => {
        for (const file of files) rmSync(file, { force: true });
      };
      try {
        for (;;) {
          const file = join(disk, `fill-${files.length}`);
          files.push(file);
          writeFileSync(file, Buffer.alloc(4096));
        }
      } catch {
        return free;
      }
    }

    test("nothing is lost or half written, nobody gets in by it, and nobody who is known is kept out", async () => {
      await using workshop = await Workshop.open({ storage: openSqliteStorage(join(disk, "registry.db")) });
      const { registry } = workshop;
      const authority = makeAuthority();
      await workshop.registerAuthority(authority, { autoRegistration: true });
      await registry.policies.create(scope, "p", allow("iot:Publish", "topic/x"));
      const { id, der } = await workshop.activeDevice();
      const free = fill();
      const full = { code: "ERR_REGISTRY_UNAVAILABLE", evidence: { isFull: true } };
      // The write-ahead log has room of before for small changes: they are kept or refused, and never half kept.
      const kept = new Set([id]);
      let refusals = 0;
      for (let i = 0; i < 400 && refusals < 3; i++) {
        try {
          kept.add((await registry.certificates.createFromCsr(scope, makeRequestPem())).certificateId);
        } catch (error) {
          expect(error).toMatchObject(full);
          refusals++;
        }
      }
      expect(refusals).toBe(3);
      const sequence = registry.sequence();
      const lists = (): Set<string> => {
        const { items } = registry.certificates.list(scope, { pageSize: 1000 });
        return new Set(items.map(({ certificateId }) => certificateId));
      };
      expect(lists()).toEqual(kept);
      expect(await registry.resolvePrincipal([der], undefined)).toMatchObject({ ok: true });
      const stranger = makeDevice(authority);
      await expect(registry.resolvePrincipal([stranger.encoding], undefined)).rejects.toMatchObject(full);
      await expect(registry.certificates.updateStatus(scope, id, "REVOKED")).rejects.toMatchObject(full);
      await expect(
        registry.importLines(scope, [JSON.stringify({ certificatePem: pemOf(stranger) })], async () => {}),
      ).rejects.toMatchObject(full);
      expect([registry.sequence(), registry.certificates.describe(scope, id).status]).toEqual([sequence, "ACTIVE"]);
      free();
      await registry.certificates.updateStatus(scope, id, "REVOKED");
      expect(await registry.resolvePrincipal([der], undefined)).toMatchObject({ code: "ERR_IDENTITY_NOT_ACTIVE" });
      expect(await registry.resolvePrincipal([stranger.encoding], undefined)).toMatchObject({
        code: "ERR_IDENTITY_PENDING_ACTIVATION",
      });
      expect(lists()).toEqual(kept.add(idOf(stranger)));
    });
  },
);
