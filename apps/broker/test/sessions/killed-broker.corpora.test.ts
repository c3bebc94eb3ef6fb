import { test } from "vitest";
import { killAgainAndAgain } from "./kill-rounds.ts";

test(
  "killed 100 times under QoS 1 and 2: nothing acknowledged is lost, nothing of QoS 2 comes twice",
  { timeout: 1_800_000 },
  async () => {
    await killAgainAndAgain(100);
  },
);
