/** The end of the story: the other attacks, by `latchkey-button attack`. */

import { join } from "node:path";
import { buttons, check, StoryError, until, shortened, type Play } from "../play.ts";
import { runLines, type LogLine } from "../program.ts";

/** What the story reads of a line of `latchkey-button attack --json`. */
interface AttackLine {
  readonly name: string;
  readonly isHeld: boolean;
  readonly layer: string;
  readonly evidence: string;
  readonly attacker: string;
}

/** Runs every attack and tells of each. Gives how many were stopped. Throws `StoryError` where one was not. */
export async function attack(play: Play): Promise<number> {
  const { stage, broker, folder } = play;
  await stage.scene(
    "Every other way in",
    "What else could be tried. Each is stopped, by the handshake, for the certificate, or by policy.",
  );
  const ports = ["--mqtt-port", String(broker.port), "--https-port", String(broker.httpsPort)];
  const reasons = new Reasons(play);
  const attacks: AttackLine[] = [];
  let telling: Promise<unknown> = Promise.resolve();
  const { code, stderr } = await runLines(
    "button",
    ["attack", "--data", join(folder, "data"), "--json", ...ports],
    (line) => {
      const one = attackOf(line);
      attacks.push(one);
      telling = telling.then(() => tell(play, one, reasons));
    },
  );
  await telling;
  check(code === 0 && attacks.length > 0, `an attack was not stopped: ${stderr.trim()}`);
  await checkOrders(play, attacks[0]?.attacker ?? "");
  await stage.verified("pizzeria", "got none of it");
  return attacks.length;
}

async function tell({ stage }: Play, one: AttackLine, reasons: Reasons): Promise<void> {
  check(one.isHeld, `${one.name} was not stopped: ${one.evidence}`);
  await stage.refused(one.layer, one.name);
  await stage.more(shortened(await reasons.of(one)));
}

/** The broker's own reasons: the attacker sees less than its log says. They come in the order of the attacks. */
class Reasons {
  readonly #play: Play;
  #next: number;

  constructor(play: Play) {
    this.#play = play;
    this.#next = play.broker.log.length;
  }

  async of({ layer, evidence }: AttackLine): Promise<string> {
    const message = { policy: "denied", certificate: "client refused" }[layer];
    if (message === undefined) return evidence;
    const { log } = this.#play.broker;
    const at = await until(() => {
      const found = log.findIndex((line, index) => index >= this.#next && line["msg"] === message);
      return found < 0 ? undefined : found;
    }, `the broker's log does not say why: ${evidence}`);
    this.#next = at + 1;
    return reasonIn(log[at] ?? {}) ?? evidence;
  }
}

/** The first sentence; the whole reason where it says why a variable does not stand for everything. */
function reasonIn(line: LogLine): string | undefined {
  const reason = line["why"] ?? line["reason"];
  if (typeof reason !== "string") return undefined;
  if (reason.includes("is not substituted")) return reason;
  const [first = ""] = reason.split(/(?<=\.) (?=[A-Z])/);
  return first;
}

/** Throws unless the orders that arrived are the attacker's own and one of each button. */
async function checkOrders({ orders }: Play, attacker: string): Promise<void> {
  const own = `iotbutton/${attacker}`;
  await until(() => orders.find(({ topicName }) => topicName === own), "the attacker's own order did not arrive");
  const honest = buttons.map(({ serialNumber }) => `iotbutton/${serialNumber}`);
  const topics = orders.map(({ topicName }) => topicName).filter((topicName) => topicName !== own);
  check(topics.join() === honest.join(), `the pizzeria got orders on ${topics.join(", ")}`);
}

function attackOf(line: string): AttackLine {
  const parsed: unknown = JSON.parse(line);
  const isAttack = typeof parsed === "object" && parsed !== null && "name" in parsed && "outcome" in parsed;
  if (!isAttack || typeof parsed.outcome !== "object" || parsed.outcome === null) {
    throw new StoryError(`this is no attack: ${line}`);
  }
  const { outcome } = parsed;
  return {
    name: String(parsed.name),
    isHeld: "isHeld" in parsed && parsed.isHeld === true,
    layer: "layer" in outcome ? String(outcome.layer) : "",
    evidence: "evidence" in outcome ? String(outcome.evidence) : "",
    attacker: "attacker" in parsed ? String(parsed.attacker) : "",
  };
}
