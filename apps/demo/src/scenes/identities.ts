/** The first two scenes: the pizzeria opens, and three buttons get an identity in the three ways. */

import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { MqttClient } from "@latchkey/button/mqtt-client";
import { nodeProvider } from "@latchkey/crypto/node";
import { attributeValues, certificateId, certificatesFromPem, nameText } from "@latchkey/x509";
import { buttons, check, StoryError, type Order, type Play, type StoryButton } from "../play.ts";
import { pizzeriaPolicy } from "../policies.ts";
import { run, type Finished } from "../program.ts";

/** The identities that were made; the story has not mentioned them yet. */
export interface Identities {
  /** What `provision` said of each button, in order. */
  readonly buttons: readonly Finished[];
}

/** Makes all identities, at the same time. Throws `StoryError`. */
export async function makeIdentities({ folder, broker }: Pick<Play, "folder" | "broker">): Promise<Identities> {
  const data = ["--data", join(folder, "data")];
  const endpoint = ["--mqtt-port", String(broker.port), "--https-port", String(broker.httpsPort)];
  const provision = ({ serialNumber, way }: StoryButton): Promise<Finished> => {
    const button = ["--device", join(folder, serialNumber), "--serial", serialNumber, "--way", way];
    return run("button", "provision", ...data, ...endpoint, ...button, "--own-ca", join(folder, "own-ca"));
  };
  const pizzeria = async (): Promise<void> => {
    const document = join(folder, "pizzeria.json");
    await writeFile(document, JSON.stringify(pizzeriaPolicy));
    succeeded(await run("broker", "policy", "create", ...data, "--name", "pizzeria", "--document", document));
    const words = ["--common-name", "pizzeria", "--policy", "pizzeria", "--out", join(folder, "pizzeria")];
    succeeded(await run("broker", "certificate", "create", ...data, ...words));
  };
  const [made] = await Promise.all([Promise.all(buttons.map(provision)), pizzeria()]);
  for (const one of made) succeeded(one);
  return { buttons: made };
}

/** The pizzeria subscribes. Every order goes to `onOrder`. */
export async function openPizzeria(
  { stage, folder, broker }: Omit<Play, "orders">,
  onOrder: (order: Order) => void,
): Promise<MqttClient> {
  await stage.scene(
    "The pizzeria opens",
    "A broker that asks every client for a certificate, and a pizzeria that reads the orders.",
  );
  await stage.done("broker", `listens on mqtts://localhost:${broker.port} and https://localhost:${broker.httpsPort}`);
  const file = (name: string): Promise<string> => readFile(join(folder, "pizzeria", name), "utf8");
  const pizzeria = await MqttClient.connect({
    certificate: await file("certificate.pem"),
    privateKey: await file("private.key"),
    roots: await file("root-ca.pem"),
    host: "localhost",
    port: broker.port,
    clientIdentifier: "pizzeria",
    onMessage: (topicName, payload) => onOrder({ topicName, payload: new TextDecoder().decode(payload) }),
  });
  await pizzeria.subscribe("iotbutton/+");
  await stage.verified(
    "pizzeria",
    "has a certificate of its own. Its policy lets it read iotbutton/+ and write nothing",
  );
  return pizzeria;
}

const titles = {
  "one-click": "one click",
  csr: "CSR",
  "own-ca": "own CA",
} as const satisfies Record<StoryButton["way"], string>;

/** Tells of the buttons' identities, each looked at as it lies in the button's folder. */
export async function tellIdentities({ stage, folder }: Play, made: Identities): Promise<void> {
  await stage.scene(
    "Three buttons get an identity",
    "In the three ways of the article: one click, a signing request, a CA of one's own.",
  );
  for (const [index, { serialNumber, way }] of buttons.entries()) {
    const file = (name: string): string => join(folder, serialNumber, name);
    const [certificate] = certificatesFromPem(await readFile(file("certificate.pem"), "utf8"));
    const said = made.buttons[index]?.stderr.split("\n") ?? [];
    if (certificate === undefined) throw new StoryError(`${serialNumber} has no certificate`);
    const id = certificateId(certificate, nodeProvider);
    check(said[0]?.includes(id) === true, `${serialNumber} has another certificate than the one that was made`);
    check(((await stat(file("private.key"))).mode & 0o077) === 0, `the key of ${serialNumber} can be read by others`);
    const names = attributeValues(certificate.subject, "serialNumber");
    check(
      way === "one-click" ? names.length === 0 : names.includes(serialNumber),
      `the certificate of ${serialNumber} has the serial numbers ${names.join(", ")}`,
    );
    await stage.verified(titles[way], `button ${serialNumber}: ${said[1] ?? ""}`);
    await stage.more(`certificate ${id.slice(0, 16)}… of ${nameText(certificate.issuer)}`);
    await stage.more(
      way === "one-click"
        ? "It names no button, so its policy has to: publish to iotbutton/" + serialNumber
        : "It names the button, so one policy serves all: iotbutton/${iot:Certificate.Subject.SerialNumber}",
    );
  }
}

/** Throws `StoryError` for a program that failed. */
function succeeded({ code, stderr }: Finished): void {
  check(code === 0, `a program ended with ${code}: ${stderr.trim()}`);
}
