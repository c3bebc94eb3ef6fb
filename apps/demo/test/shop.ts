/** A running broker with a few identities, for the end-to-end tests. */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buttonPolicy, kitchenPolicy } from "./policies.ts";
import { run, startBroker, type RunningProcess } from "../src/program.ts";

export interface Shop extends AsyncDisposable {
  readonly folder: string;
  readonly broker: RunningProcess;
  /** Runs `latchkey` with the shop's data directory. */
  latchkey(...words: string[]): ReturnType<typeof run>;
  /** Makes an identity in a folder of its own; gives its certificateId. */
  identity(name: string, ...words: string[]): Promise<string>;
  file(...names: string[]): string;
  /** The files of an identity as arguments of mosquitto's clients. */
  mosquitto(name: string, clientIdentifier: string): string[];
  /** The files of an identity as arguments of the button. */
  button(name: string, serial: string, protocol?: "mqtt" | "https"): string[];
}

export async function openShop(...words: string[]): Promise<Shop> {
  const folder = mkdtempSync(join(tmpdir(), "latchkey-shop-"));
  const file = (...names: string[]): string => join(folder, ...names);
  const data = ["--data", file("data")];
  writeFileSync(file("button.json"), JSON.stringify(buttonPolicy));
  writeFileSync(file("kitchen.json"), JSON.stringify(kitchenPolicy));
  const broker = await startBroker(...data, ...words);
  const latchkey = (command: string, subcommand: string, ...rest: string[]): ReturnType<typeof run> =>
    run("broker", command, subcommand, ...data, ...rest);
  for (const name of ["button", "kitchen"]) {
    await latchkey("policy", "create", "--name", name, "--document", file(`${name}.json`));
  }
  return {
    folder,
    broker,
    latchkey: (command = "", subcommand = "", ...rest) => latchkey(command, subcommand, ...rest),
    identity: async (name, ...rest) => {
      const { code, stdout, stderr } = await latchkey("certificate", "create", "--out", file(name), ...rest);
      if (code !== 0) throw new Error(stderr);
      return stdout.trim();
    },
    file,
    mosquitto: (name, clientIdentifier) => [
      ...["-h", "localhost", "-p", String(broker.port), "-i", clientIdentifier, "-q", "1"],
      ...[
        "--cafile",
        file(name, "root-ca.pem"),
        "--cert",
        file(name, "certificate.pem"),
        "--key",
        file(name, "private.key"),
      ],
    ],
    button: (name, serial, protocol = "mqtt") => [
      ...(protocol === "mqtt" ? ["--mqtt", "--port", String(broker.port)] : ["--port", String(broker.httpsPort)]),
      ...["--host", "localhost", "--serial", serial, "--root", file(name, "root-ca.pem")],
      ...["--cert", file(name, "certificate.pem"), "--key", file(name, "private.key")],
    ],
    async [Symbol.asyncDispose]() {
      await broker.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
