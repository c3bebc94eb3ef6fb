import { expect, test } from "vitest";
import { standardLimits } from "../src/limits.ts";
import { ConnectionGroups } from "../src/session/connection-group.ts";

test("groups of one name are one group in each scope", () => {
  const groups = new ConnectionGroups(standardLimits, () => 0);
  expect(groups.of("address", "a")).toBe(groups.of("address", "a"));
  expect(groups.of("address", "a")).not.toBe(groups.of("principal", "a"));
});

test("a group that uses nothing is forgotten: at once without rates, or when they are as new ones", () => {
  let nowMs = 0;
  const groups = new ConnectionGroups({ ...standardLimits, maximumConnectsPerSecondOfAddress: 2 }, () => nowMs);
  const principal = groups.of("principal", "a");
  const address = groups.of("address", "a");
  principal.sessions = 1;
  groups.released(principal);
  expect(groups.size).toBe(2);
  principal.sessions = 0;
  groups.released(principal);
  expect(groups.size).toBe(1);
  address.connects?.tryTake(nowMs);
  groups.released(address);
  nowMs = 400;
  groups.sweep();
  expect(groups.of("address", "a")).toBe(address);
  groups.released(address);
  nowMs = 500;
  groups.sweep();
  expect(groups.size).toBe(0);
});
