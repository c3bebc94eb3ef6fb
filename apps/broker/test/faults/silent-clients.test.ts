import { test } from "vitest";
import { holdSilentClients } from "./silent-clients.ts";

test("600 clients that never send CONNECT: the others are served, memory is bounded, and the log says it", async () => {
  await holdSilentClients({ connectOnly: 500, handshake: 50, halfConnect: 50 }, 2000);
});
