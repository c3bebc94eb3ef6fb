/** The middle of the story: the buttons order, one for its neighbour, and one after it was reported stolen. */

import { join } from "node:path";
import { readFile } from "node:fs/promises";
import { nodeProvider } from "@latchkey/crypto/node";
import { certificateId, certificatesFromPem } from "@latchkey/x509";
import { buttons, check, logged, StoryError, until, shortened, type Play, type StoryButton } from "../play.ts";
import { run, type Finished } from "../program.ts";

/** What the story reads of `latchkey-button --json`. */
interface Report {
  readonly isAcknowledged: boolean;
  readonly led: string;
  readonly steps: readonly Readonly<Record<string, unknown>>[];
  readonly error: { readonly code: string; readonly layer: string; readonly message: string } | undefined;
}

/** Presses a button in a process of its own. */
async function press(play: Play, button: StoryButton, ...words: string[]): Promise<Report> {
  const device = ["--device", join(play.folder, button.serialNumber)];
  return reportOf(await run("button", ...device, "--click", button.clickType, "--json", ...words));
}

function reportOf({ stdout, stderr }: Finished): Report {
  const parsed = objectIn(stdout);
  if (parsed === undefined || !Array.isArray(parsed["steps"])) {
    throw new StoryError(`the button did not report: ${stderr.trim()}`);
  }
  const failure = objectOf(parsed["error"]);
  return {
    isAcknowledged: parsed["isAcknowledged"] === true,
    led: String(parsed["led"]),
    steps: parsed["steps"].map((step: unknown) => objectOf(step) ?? {}),
    error: failure && {
      code: String(failure["code"]),
      layer: String(failure["layer"]),
      message: String(failure["message"]),
    },
  };
}

function objectIn(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    return objectOf(JSON.parse(text));
  } catch {
    return undefined;
  }
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === "object" && value !== null ? { ...value } : undefined;
}

/** Each button orders. The steps of the first press are shown. */
export async function order(play: Play): Promise<void> {
  const { stage } = play;
  await stage.scene(
    "Each button orders",
    "It wakes, finds out whether the broker is the broker, proves who it is, publishes, and sleeps.",
  );
  for (const [index, button] of buttons.entries()) {
    const before = play.orders.length;
    const from = play.broker.log.length;
    const report = await press(play, button);
    check(report.isAcknowledged, `${button.serialNumber} could not order: ${report.error?.message ?? ""}`);
    await stage.done("button", `${button.serialNumber}, ${button.clickType} click`);
    await tellPress(play, report, from, index === 0);
    const arrived = await until(() => play.orders[before], "the order did not reach the pizzeria");
    const { topicName, payload } = arrived;
    const ordered = `{"serialNumber":"${button.serialNumber}","batteryVoltage":"1740mV","clickType":"${button.clickType}"}`;
    check(
      topicName === `iotbutton/${button.serialNumber}` && payload === ordered,
      `the pizzeria got ${topicName} ${payload}`,
    );
    await stage.verified("pizzeria", `reads ${topicName}`);
    await stage.more(payload.replaceAll(",", ", "));
  }
}

/** What was verified on the way, by the button and by the broker. */
async function tellPress(play: Play, { steps }: Report, from: number, isFirst: boolean): Promise<void> {
  const { stage } = play;
  const step = (name: string): Readonly<Record<string, unknown>> => {
    const found = steps.findLast((one) => one["step"] === name);
    if (found === undefined) throw new StoryError(`the press has no step "${name}"`);
    return found;
  };
  const tls = step("tls");
  const shown = step("shown");
  const { explanation } = step("server");
  const lines: readonly unknown[] = Array.isArray(explanation) ? explanation : [];
  const accepted = String(lines[0]);
  check(accepted.startsWith("accepted for serverAuth"), `the broker was not believed: ${accepted}`);
  const identified = await logged(play, from, "client identified", { certificateId: shown["certificateId"] });
  if (!isFirst) return;
  await stage.verified("handshake", [tls["protocol"], tls["cipherSuite"], tls["group"]].map(String).join(", "));
  await stage.verified("broker", `${accepted}, under the root on the button alone: ${lines.length - 1} checks hold`);
  await stage.verified(
    "button",
    `signed the handshake with its key. The broker knows certificate ` +
      `${String(identified["certificateId"]).slice(0, 16)}… as registered and ACTIVE`,
  );
  const request = step("request");
  await stage.verified("policy", `allows ${String(request["line"])}`);
  await stage.verified("answer", String(step("answer")["line"]).replace(/^HTTP 200.*/, "HTTP 200"));
}

/** A customer with a changed program orders on the neighbour's account. */
export async function orderForNeighbour(play: Play): Promise<void> {
  const { stage, broker } = play;
  const [customer, neighbour] = [buttons[1], buttons[2]];
  if (customer === undefined || neighbour === undefined) throw new StoryError("the story needs three buttons");
  await stage.scene(
    "A customer orders on the neighbour's account",
    "The certificate and the key are real. The topic is the neighbour's.",
  );
  const from = broker.log.length;
  const topicName = `iotbutton/${neighbour.serialNumber}`;
  const report = await press(play, customer, "--topic", topicName);
  check(!report.isAcknowledged, "the broker took an order on the neighbour's account");
  check(
    report.error?.layer === "permission",
    `the press failed, but not for its topic: ${report.error?.message ?? ""}`,
  );
  const denied = await logged(play, from, "denied", { name: topicName });
  await stage.refused("refused", `by policy (${String(denied["decision"])}), and the broker's log says why:`);
  await stage.more(shortened(String(denied["why"])));
  await stage.done("button", `${report.error?.code ?? ""}, LED ${report.led}`);
}

/** A stolen button's certificate is revoked. */
export async function revoke(play: Play): Promise<void> {
  const { stage, broker, folder } = play;
  const [stolen] = buttons;
  if (stolen === undefined) throw new StoryError("the story needs a button");
  await stage.scene("A button is stolen", "Its certificate is revoked. Nothing else changes: same key, same topic.");
  const pem = await readFile(join(folder, stolen.serialNumber, "certificate.pem"), "utf8");
  const [certificate] = certificatesFromPem(pem);
  const id = certificate === undefined ? "" : certificateId(certificate, nodeProvider);
  const words = ["--data", join(folder, "data"), "--certificate", id, "--to", "REVOKED"];
  const { code, stderr } = await run("broker", "certificate", "status", ...words);
  check(code === 0, `the certificate could not be revoked: ${stderr.trim()}`);
  await stage.done("owner", `sets certificate ${id.slice(0, 16)}… REVOKED`);
  const from = broker.log.length;
  const report = await press(play, stolen);
  check(!report.isAcknowledged, "the broker took an order of a revoked certificate");
  const refused = await logged(play, from, "client refused", { certificateId: id });
  await stage.refused("refused", `before it could ask for anything: ${shortened(String(refused["reason"]))}`);
  await stage.done("button", `${report.error?.code ?? ""}, LED ${report.led}`);
}
