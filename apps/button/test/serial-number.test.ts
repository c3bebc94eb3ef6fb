import { expect, test } from "vitest";
import { isSerialNumber, makeSerialNumber, serialNumberOf } from "../src/serial-number.ts";

// The first two stand in AWS's documents.
test.each(["G030JF055364XVRB", "G030JF051234A5BC", "G030MD026063VNX0"])("%s is a serial number", (text) => {
  expect(serialNumberOf(text)).toBe(text);
});

test.each([
  ["another prefix", "P5SJVQ055364XVRB"],
  ["a fourth digit above 5", "G030JF055664XVRB"],
  ["a last digit of 0", "G030JF055360XVRB"],
  ["a last digit of 8", "G030JF055368XVRB"],
  ["an I in the tail", "G030JF055364XIRB"],
  ["an O in the tail", "G030JF055364XORB"],
  ["a Y in the tail", "G030JF055364XYRB"],
  ["small letters", "g030jf055364xvrb"],
  ["too short", "G030JF055364XVR"],
  ["too long", "G030JF055364XVRBB"],
  ["a line break behind it", "G030JF055364XVRB\n"],
  ["a wildcard", "G030JF05*"],
])("%s is refused", (_, text) => {
  expect(() => serialNumberOf(text)).toThrow(/is not possible: the serial number of a button has 16 characters/);
});

test("those that are made are possible, and differ", () => {
  const made = Array.from({ length: 1000 }, () => makeSerialNumber());
  expect(made.filter((text) => !isSerialNumber(text))).toEqual([]);
  expect(new Set(made).size).toBeGreaterThan(990);
});

test("the ends of every range are possible", () => {
  expect(isSerialNumber(makeSerialNumber(() => 0))).toBe(true);
  expect(isSerialNumber(makeSerialNumber((below) => below - 1))).toBe(true);
});
