import { expect, test } from "vitest";
import { Admission } from "../../src/listeners/admission.ts";

test("counts over all and for each address; what is refused counts for nothing", () => {
  const admission = new Admission({ maximumConnections: 3, maximumConnectionsPerAddress: 2 });
  expect(admission.admit("a")).toBeUndefined();
  expect(admission.admit("a")).toBeUndefined();
  expect(admission.admit("a")).toBe("maximumConnectionsPerAddress");
  expect(admission.admit("b")).toBeUndefined();
  expect(admission.admit("c")).toBe("maximumConnections");
  expect(admission.open).toBe(3);
  admission.release("a");
  expect(admission.admit("c")).toBeUndefined();
  admission.release("c");
  expect(admission.admit("a")).toBeUndefined();
  expect(admission.admit("a")).toBe("maximumConnections");
  for (const address of ["a", "a", "b"]) admission.release(address);
  expect(admission.open).toBe(0);
});
