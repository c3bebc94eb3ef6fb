import { shared } from "@latchkey/tooling-vitest";
import { defineConfig } from "vitest/config";

export default defineConfig(shared);
