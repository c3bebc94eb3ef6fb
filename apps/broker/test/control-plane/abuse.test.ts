import { test } from "vitest";
import { abuse } from "./abuse.ts";

test("fifty clients leave a registry in which everything fits together", { timeout: 120_000 }, () => abuse(4));
