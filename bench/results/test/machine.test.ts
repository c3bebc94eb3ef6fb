import { cpus, release } from "node:os";
import { expect, test } from "vitest";
import { describeMachine, differences, machineText } from "../src/index.ts";

test("the machine is described with what figures depend on", () => {
  const machine = describeMachine();
  expect(machine).toMatchObject({ cores: cpus().length, kernel: release(), platform: process.platform });
  expect(machine.memoryTotalMebibytes).toBeGreaterThanOrEqual(machine.memoryFreeMebibytes);
  expect(machineText(machine)).toContain(machine.description);
  expect(machineText(machine)).toContain("MiB free");
});

test("a machine may be a text, and anything else is unknown", () => {
  expect(machineText("2 x Processor, linux x64")).toBe("2 x Processor, linux x64");
  for (const machine of [undefined, null, 7, {}, []]) expect(machineText(machine)).toBe("unknown machine");
});

test("another processor is another machine, another load is not", () => {
  const machine = describeMachine();
  expect(differences(machine, { ...machine, loadAverage: [9, 9, 9], memoryFreeMebibytes: 1, megahertz: 1 })).toEqual(
    [],
  );
  expect(differences(machine, machine.description)).toEqual([]);
  expect(differences(machine, { ...machine, kernel: "1.0" })).toEqual([`kernel: "${machine.kernel}" / "1.0"`]);
  expect(differences("2 x A, linux x64", "2 x B, linux x64")).toHaveLength(1);
});
