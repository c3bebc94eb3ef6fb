import { readFileSync } from "node:fs";
import { test } from "vitest";
import { holdSilentClients } from "./silent-clients.ts";

/** Files that a process may have open: those of this one are the broker's as well, which it starts. */
const [, openFiles = "1024"] = /^Max open files\s+(\d+)/m.exec(readFileSync("/proc/self/limits", "utf8")) ?? [];
const clients = Math.min(10_000, Number(openFiles) - 500);

test(`${clients} clients that never send CONNECT: the others are served, memory is bounded, and the log says it`, async () => {
  const [handshake, halfConnect] = [Math.floor(clients / 20), Math.floor(clients / 20)];
  await holdSilentClients({ connectOnly: clients - handshake - halfConnect, handshake, halfConnect }, 20_000);
});
