import { test } from "vitest";
import { abuse } from "./abuse.ts";

test("fifty clients for a minute leave a registry in which everything fits together", { timeout: 240_000 }, () =>
  abuse(60),
);
