/**
 * The flags that BoringSSL's runner calls a shim with: those that this shim understands.
 *
 * A flag that is not in the table means a feature that the engine does not have, and ends the shim by `Unimplemented`. The
 * meaning of each flag is in `ssl/test/test_config.h` and `bssl_shim.cc` of BoringSSL.
 */

/** What the runner wants is not in the engine, or not in this shim: exit code 89. */
export class Unimplemented extends Error {}

/** Whether a flag is followed by a value. A flag that changes nothing here has its reason beside it. */
const flagKinds = {
  "-port": "value",
  "-server": "switch",
  "-resume-count": "value",
  "-key-file": "value",
  "-cert-file": "value",
  "-signing-prefs": "value",
  "-verify-prefs": "value",
  "-curves": "value",
  "-min-version": "value",
  "-max-version": "value",
  "-no-tls13": "switch",
  "-no-tls12": "switch",
  // Never spoken.
  "-no-tls11": "switch",
  "-no-tls1": "switch",
  "-no-ticket": "switch",
  "-host-name": "value",
  "-advertise-alpn": "value",
  "-select-alpn": "value",
  "-decline-alpn": "switch",
  "-reject-alpn": "switch",
  "-verify-peer": "switch",
  "-require-any-client-certificate": "switch",
  "-verify-fail": "switch",
  "-reverify-on-resume": "switch",
  // The engine has one way to ask for a credential and one to ask for a verdict.
  "-use-early-callback": "switch",
  "-use-old-client-cert-callback": "switch",
  "-use-custom-verify-callback": "switch",
  "-use-client-ca-list": "value",
  "-max-cert-list": "value",
  "-max-send-fragment": "value",
  "-read-size": "value",
  "-resumption-delay": "value",
  "-async": "switch",
  // The engine starts by itself, and there is no second handshake to ask for.
  "-implicit-handshake": "switch",
  "-no-op-extra-handshake": "switch",
  // `send` of the engine always may take a part.
  "-partial-write": "switch",
  // Never negotiated by default, and the engine's only way.
  "-forbid-renegotiation-after-handshake": "switch",
  // Always enforced.
  "-enforce-rsa-key-usage": "switch",
  "-server-preference": "switch",
  "-shim-writes-first": "switch",
  "-read-with-unfinished-write": "switch",
  "-shim-shuts-down": "switch",
  "-check-close-notify": "switch",
  "-write-different-record-sizes": "switch",
  "-key-update": "switch",
  "-export-keying-material": "value",
  "-export-label": "value",
  "-export-context": "value",
  "-use-export-context": "switch",
  "-use-exporter-between-reads": "switch",
  "-export-traffic-secrets": "switch",
  "-handshake-never-done": "switch",
  "-is-handshaker-supported": "switch",
  "-expect-version": "value",
  "-expect-cipher": "value",
  "-expect-cipher-aes": "value",
  // The machine that tests run on has AES instructions, and the engine does not look.
  "-expect-cipher-no-aes": "value",
  "-expect-curve-id": "value",
  "-expect-peer-signature-algorithm": "value",
  "-expect-server-name": "value",
  "-expect-alpn": "value",
  "-expect-advertised-alpn": "value",
  "-expect-session-miss": "switch",
  "-expect-no-session": "switch",
  // The server has none.
  "-expect-no-session-id": "switch",
  "-expect-ticket-renewal": "switch",
  "-expect-extended-master-secret": "switch",
  "-expect-secure-renegotiation": "switch",
  "-expect-total-renegotiations": "value",
  "-expect-hrr": "switch",
  "-expect-no-hrr": "switch",
  "-expect-peer-cert-file": "value",
  "-expect-client-ca-list": "value",
  // A verdict that is no ends the connection: one that is open had a yes.
  "-expect-verify-result": "switch",
} as const satisfies Readonly<Record<string, "value" | "switch">>;

export type FlagName = keyof typeof flagKinds;

/** The flags of one connection. */
export class Flags {
  readonly #values = new Map<FlagName, string[]>();

  add(name: FlagName, value: string): void {
    this.#values.set(name, [...this.values(name), value]);
  }

  has(name: FlagName): boolean {
    return this.#values.has(name);
  }

  /** All values of a flag that may come several times. */
  values(name: FlagName): readonly string[] {
    return this.#values.get(name) ?? [];
  }

  /** The last value. */
  value(name: FlagName): string | undefined {
    return this.values(name).at(-1);
  }

  /** All values as numbers. */
  numbers(name: FlagName): readonly number[] {
    return this.values(name).map(Number);
  }

  /** The last value as a number. */
  number(name: FlagName): number | undefined {
    return this.numbers(name).at(-1);
  }
}

/** The flags of the first connection and of those after it. */
export interface FlagSets {
  readonly initial: Flags;
  readonly resume: Flags;
}

/** Reads a command line. Throws `Unimplemented` for a flag that is not in the table. */
export function parseFlags(args: readonly string[]): FlagSets {
  const sets: FlagSets = { initial: new Flags(), resume: new Flags() };
  for (let index = 0; index < args.length; index++) {
    const [targets, name] = targetsOf(sets, args[index] ?? "");
    if (!isFlag(name)) throw new Unimplemented(`the flag ${name}`);
    let value = "";
    if (flagKinds[name] === "value") {
      index++;
      value = args[index] ?? "";
    }
    for (const target of targets) target.add(name, value);
  }
  return sets;
}

function isFlag(name: string): name is FlagName {
  return Object.hasOwn(flagKinds, name);
}

/** Prefixes say which connections, and which of two processes, a flag is for. This shim is one process. */
function targetsOf({ initial, resume }: FlagSets, given: string): [readonly Flags[], string] {
  const name = given.replace(/^-on-shim(?=-)/, "");
  const prefix = /^-on-(initial|resume|retry|handshaker)(?=-)/.exec(name);
  if (prefix === null) return [[initial, resume], name];
  const rest = name.slice(prefix[0].length);
  if (prefix[1] === "initial") return [[initial], rest];
  // A retry is one of early data, which the engine never sends.
  return [prefix[1] === "resume" ? [resume] : [], rest];
}
