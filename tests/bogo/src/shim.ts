/**
 * The program that BoringSSL's runner calls for each test: a client or server of `@latchkey/tls` that connects to the runner.
 *
 * Exit codes are those of `ssl/test/PORTING.md`: 0 where all connections did what the flags expect, 1 where one failed (its
 * error is on stderr), 89 for what is not implemented; 90 makes a test fail whatever it expects.
 */

import type { TlsError } from "@latchkey/tls";
import { exchange } from "./exchange.ts";
import { Mismatch } from "./expectations.ts";
import { parseFlags, Unimplemented } from "./flags.ts";
import { newSharedState } from "./engine-config.ts";

const exitCode = { failed: 1, unimplemented: 89, mustFail: 90 } as const;

async function run(args: readonly string[]): Promise<number> {
  const { initial, resume } = parseFlags(args);
  if (initial.has("-is-handshaker-supported")) {
    process.stdout.write("No\n");
    return 0;
  }
  const shared = newSharedState();
  const connections = 1 + (initial.number("-resume-count") ?? 0);
  for (let index = 0; index < connections; index++) {
    const flags = index === 0 ? initial : resume;
    if (index > 0 && !flags.has("-server") && shared.session === undefined) throw new Mismatch("no session to offer");
    const error = await exchange(flags, shared, index > 0);
    if (error !== undefined) {
      process.stderr.write(`${error.code}: ${alertText(error)}: ${error.message}\n`);
      return error.code === "ERR_TLS_INTERNAL" ? exitCode.mustFail : exitCode.failed;
    }
    shared.timeMs += 1000 * (flags.number("-resumption-delay") ?? 0);
  }
  return 0;
}

/** What the runner's expected errors are mapped to, besides codes. */
function alertText({ alertReceived, alertSent }: TlsError): string {
  if (alertReceived !== undefined) return `received ${alertReceived}`;
  return alertSent === undefined ? "no alert" : `sent ${alertSent}`;
}

try {
  process.exitCode = await run(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
  process.exitCode = error instanceof Unimplemented ? exitCode.unimplemented : exitCode.mustFail;
}
