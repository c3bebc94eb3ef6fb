/**
 * The story: a broker and its authorities, three identities, one press that arrives and one that is refused.
 *
 * Each line is printed after the step that it describes, from the step's result. Both apps run
 * as processes of their own; the kitchen is a client in this one.
 */

import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MqttClient } from "@latchkey/button/mqtt-client";
import { attributeValues, certificateId, certificatesFromPem, nameText } from "@latchkey/x509";
import { nodeProvider } from "@latchkey/crypto/node";
import { buttonPolicy, kitchenPolicy } from "./policies.ts";
import { run, startBroker, type Finished, type RunningProcess } from "./program.ts";

const serial = "G030JF055364XVRB";
const neighbour = "G030JF051234A5BC";
/** How long an order may take to the kitchen. */
const orderTimeoutMs = 10_000;

/** A step that did not go as the story has it. */
class StoryError extends Error {}

/** Tells the story line by line; true if the order arrived and the attack was refused. */
export async function tellStory(say: (line: string) => void): Promise<boolean> {
  const folder = await mkdtemp(join(tmpdir(), "latchkey-demo-"));
  let broker: RunningProcess | undefined;
  try {
    broker = await openShop(folder, say);
    await createIdentities(folder, say);
    await order(folder, broker, say);
    say("");
    say("The order arrived, and nobody ate on the neighbour's account.");
    return true;
  } catch (error) {
    if (!(error instanceof StoryError)) throw error;
    say(`✗ ${error.message}`);
    return false;
  } finally {
    await broker?.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

async function openShop(folder: string, say: (line: string) => void): Promise<RunningProcess> {
  say("A pizza button and its neighbour: the AWS IoT security model, end to end");
  say("");
  const broker = await startBroker("--data", join(folder, "data"));
  say("1. The shop opens");
  say(`   broker      listens on mqtts://127.0.0.1:${broker.port}, TLS 1.2 and 1.3`);
  say("   x509        made two authorities on the first run: one vouches for the broker, one for the devices");
  say("");
  return broker;
}

async function createIdentities(folder: string, say: (line: string) => void): Promise<void> {
  await writeFile(join(folder, "button.json"), JSON.stringify(buttonPolicy));
  await writeFile(join(folder, "kitchen.json"), JSON.stringify(kitchenPolicy));
  const data = ["--data", join(folder, "data")];
  for (const name of ["button", "kitchen"]) {
    succeeded(
      await run("broker", "policy", "create", ...data, "--name", name, "--document", join(folder, `${name}.json`)),
    );
  }
  say("2. Everybody gets an identity");
  for (const [name, words] of [
    ["button", ["--serial", serial, "--policy", "button"]],
    ["kitchen", ["--common-name", "kitchen", "--policy", "kitchen"]],
  ] as const) {
    const id = succeeded(
      await run("broker", "certificate", "create", ...data, "--out", join(folder, name), ...words),
    ).trim();
    const [certificate] = certificatesFromPem(await readFile(join(folder, name, "certificate.pem"), "utf8"));
    if (certificate === undefined || certificateId(certificate, nodeProvider) !== id)
      throw new StoryError(`${name}: wrong certificate`);
    say(`   x509        ${name}: ${nameText(certificate.subject)}, id ${id.slice(0, 16)}…`);
    if (name === "button" && attributeValues(certificate.subject, "serialNumber")[0] !== serial) {
      throw new StoryError("the button's certificate does not bear its serial number");
    }
  }
  say("   policy      one for all buttons: publish to iotbutton/${iot:Certificate.Subject.SerialNumber}, nothing else");
  say("");
}

async function order(folder: string, broker: RunningProcess, say: (line: string) => void): Promise<void> {
  const orders: string[] = [];
  const arrived = Promise.withResolvers<void>();
  const kitchen = await MqttClient.connect({
    ...(await credentials(join(folder, "kitchen"))),
    host: "localhost",
    port: broker.port,
    clientIdentifier: "kitchen",
    onMessage: (topicName, payload) => {
      orders.push(`${topicName} ${new TextDecoder().decode(payload)}`);
      arrived.resolve();
    },
  });
  try {
    await kitchen.subscribe("iotbutton/+");
    say("3. The kitchen waits for orders");
    say("   mqtt-codec  CONNECT and SUBSCRIBE iotbutton/+ accepted");
    say("");
    await pressTheButton(folder, broker, say);
    await within(orderTimeoutMs, arrived.promise, "the order did not reach the kitchen");
    say(`   broker-core delivered to the kitchen: ${orders[0]}`);
    say("");
    await attack(folder, broker, orders, say);
  } finally {
    await kitchen.disconnect();
  }
}

async function pressTheButton(folder: string, broker: RunningProcess, say: (line: string) => void): Promise<void> {
  say("4. Somebody presses the button");
  const pressed = succeeded(await run("button", ...buttonWords(folder, broker.port)));
  const lineWith = (text: string): string =>
    pressed
      .split("\n")
      .find((line) => line.includes(text))
      ?.trim() ?? "";
  const handshake = lineWith("accepted for serverAuth");
  const acknowledged = lineWith("acknowledged");
  say(`   chain       button believes the broker: ${handshake}`);
  say(`   chain       broker believes the button: ${logged(broker, "client identified")}, registered and ACTIVE`);
  say(`   policy      allowed: publish to iotbutton/${serial}, the serial number in its own certificate`);
  say(`   mqtt-codec  ${acknowledged}, QoS 1`);
}

async function attack(
  folder: string,
  broker: RunningProcess,
  orders: readonly string[],
  say: (line: string) => void,
): Promise<void> {
  say("5. Somebody reprograms the button to order on the neighbour's account");
  const refused = await run("button", ...buttonWords(folder, broker.port), "--topic", `iotbutton/${neighbour}`);
  if (refused.code === 0) throw new StoryError("the broker accepted an order on the neighbour's account");
  const denial = broker.log.find(({ msg, name }) => msg === "denied" && name === `iotbutton/${neighbour}`);
  if (denial === undefined)
    throw new StoryError(`the press failed, but not because a policy refused it: ${refused.stderr.trim()}`);
  // A press of the right kind behind the refused one: had that been delivered, it would have come first.
  succeeded(await run("button", ...buttonWords(folder, broker.port)));
  await within(
    orderTimeoutMs,
    until(() => orders.length >= 2),
    "the second order did not reach the kitchen",
  );
  if (orders.some((one) => one.includes(`iotbutton/${neighbour}`)))
    throw new StoryError("the kitchen got the neighbour's order");
  say(`   policy      refused (${String(denial["decision"])}): ${String(denial["why"])}`);
  say(`   broker-core closed the connection; the button says: ${refused.stderr.trim()}`);
  say("   kitchen     got nothing of it");
}

function buttonWords(folder: string, port: number): string[] {
  const file = (name: string): string => join(folder, "button", name);
  const files = ["--cert", file("certificate.pem"), "--key", file("private.key"), "--root", file("root-ca.pem")];
  return ["--host", "localhost", "--port", String(port), "--mqtt", "--serial", serial, ...files];
}

async function credentials(folder: string): Promise<{ certificate: string; privateKey: string; roots: string }> {
  const read = (name: string): Promise<string> => readFile(join(folder, name), "utf8");
  return {
    certificate: await read("certificate.pem"),
    privateKey: await read("private.key"),
    roots: await read("root-ca.pem"),
  };
}

function logged(broker: RunningProcess, message: string): string {
  const line = broker.log.findLast(({ msg }) => msg === message);
  if (line === undefined) throw new StoryError(`the broker did not say "${message}"`);
  return `${String(line["protocol"])}, certificate ${String(line["certificateId"]).slice(0, 16)}…`;
}

/** Standard output of a program that was to succeed. */
function succeeded({ code, stdout, stderr }: Finished): string {
  if (code !== 0) throw new StoryError(`a program ended with ${code}: ${stderr.trim()}`);
  return stdout;
}

async function within<T>(milliseconds: number, promise: Promise<T>, otherwise: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new StoryError(otherwise)), milliseconds);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await new Promise((resolve) => setTimeout(resolve, 20));
}
