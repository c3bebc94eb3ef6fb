import { beforeEach, expect, test } from "vitest";
import { Admission, type AdmissionLimits } from "../../src/listeners/admission.ts";

let nowMs = 0;
beforeEach(() => (nowMs = 0));

function admissionWith(limits: Partial<AdmissionLimits>): Admission {
  return new Admission({ ...withoutLimits, ...limits }, () => nowMs);
}

const withoutLimits: AdmissionLimits = {
  maximumConnections: Infinity,
  maximumConnectionsPerSecond: 0,
  maximumConnectionsOfAddress: Infinity,
  maximumConnectionsPerSecondOfAddress: 0,
  maximumHandshakesOfAddress: Infinity,
};

test("counts over all and for each address; what is refused counts for nothing", () => {
  const admission = admissionWith({ maximumConnections: 3, maximumConnectionsOfAddress: 2 });
  expect(admission.admit("a")).toBeUndefined();
  expect(admission.admit("a")).toBeUndefined();
  expect(admission.admit("a")).toBe("maximumConnectionsOfAddress");
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
  expect(admission.addresses).toBe(0);
});

test("the addresses of one IPv6 network count together", () => {
  const admission = admissionWith({ maximumConnectionsOfAddress: 1 });
  expect(admission.admit("2001:db8::1")).toBeUndefined();
  expect(admission.admit("2001:db8::2")).toBe("maximumConnectionsOfAddress");
  expect(admission.admit("2001:db8:0:1::2")).toBeUndefined();
  admission.release("2001:db8::3");
  expect(admission.admit("2001:db8::2")).toBeUndefined();
});

test("new connections of an address above the rate are refused, others' are not, and a second makes room", () => {
  const admission = admissionWith({ maximumConnectionsPerSecondOfAddress: 2 });
  const connect = (address: string): string | undefined => {
    const refusal = admission.admit(address);
    if (refusal === undefined) admission.release(address);
    return refusal;
  };
  expect([connect("a"), connect("a"), connect("a"), connect("b")]).toEqual([
    undefined,
    undefined,
    "maximumConnectionsPerSecondOfAddress",
    undefined,
  ]);
  expect(admission.addresses).toBe(2);
  nowMs += 500;
  expect([connect("a"), connect("a")]).toEqual([undefined, "maximumConnectionsPerSecondOfAddress"]);
  nowMs += 1000;
  expect(connect("c")).toBeUndefined();
  expect(admission.addresses).toBe(1);
});

test("new connections of all addresses above the rate of the process are refused", () => {
  const admission = admissionWith({ maximumConnectionsPerSecond: 2 });
  expect([admission.admit("a"), admission.admit("b"), admission.admit("c")]).toEqual([
    undefined,
    undefined,
    "maximumConnectionsPerSecond",
  ]);
  nowMs += 1000;
  expect(admission.admit("c")).toBeUndefined();
});

test("unfinished handshakes of an address are counted until they are finished or given up", () => {
  const admission = admissionWith({ maximumHandshakesOfAddress: 2 });
  expect([admission.admit("a"), admission.admit("a"), admission.admit("a"), admission.admit("b")]).toEqual([
    undefined,
    undefined,
    "maximumHandshakesOfAddress",
    undefined,
  ]);
  admission.secure("a");
  expect(admission.admit("a")).toBeUndefined();
  admission.release("a");
  expect(admission.admit("a")).toBeUndefined();
  expect(admission.admit("a")).toBe("maximumHandshakesOfAddress");
  // The end of the one whose handshake was finished leaves the others where they are.
  admission.unsecure("a");
  admission.release("a");
  expect(admission.admit("a")).toBe("maximumHandshakesOfAddress");
});

test("limits that change hold for addresses that are known", () => {
  const admission = admissionWith({});
  expect(admission.admit("a")).toBeUndefined();
  admission.limits = { ...withoutLimits, maximumConnectionsPerSecondOfAddress: 1, maximumHandshakesOfAddress: 5 };
  expect([admission.admit("a"), admission.admit("a")]).toEqual([undefined, "maximumConnectionsPerSecondOfAddress"]);
  admission.limits = withoutLimits;
  expect(admission.admit("a")).toBeUndefined();
});
