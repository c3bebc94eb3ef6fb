import { expect, test } from "vitest";

test("npm scripts run on the Node that the platform package pins, not on the machine's own", () => {
  expect(process.version).toMatch(/^v24\./u);
});
