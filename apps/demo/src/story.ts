/**
 * The article as one run: a broker, a pizzeria, three buttons in three ways, their orders, and everything that must not succeed.
 *
 * Each line is printed after the step that it tells of, from the step's result. Broker and buttons are processes of their own; the
 * pizzeria is a client in this one.
 */

import { rmSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Terminal } from "@latchkey/command-line";
import type { MqttClient } from "@latchkey/button/mqtt-client";
import { buttons, StoryError, type Order, type Play } from "./play.ts";
import { startBroker, type RunningProcess } from "./program.ts";
import { attack } from "./scenes/attacks.ts";
import { makeIdentities, openPizzeria, tellIdentities } from "./scenes/identities.ts";
import { order, orderForNeighbour, revoke } from "./scenes/orders.ts";
import { Stage } from "./stage.ts";

/** Options of the story. */
export interface StoryOptions {
  readonly terminal: Terminal;
  readonly write: (text: string) => void;
  /** Slowly, for an audience. */
  readonly isSlow: boolean;
  /** Called at the good end with everything still running; it goes away when this resolves. */
  readonly onEnd?: (kept: KeptStory) => Promise<void>;
}

/** What runs on at the end of the story. */
export interface KeptStory {
  readonly folder: string;
  /** Gets each order from here on. */
  onOrder: (order: Order) => void;
}

const slowPauseMs = 1100;

/** Tells the story; true if every step did what the article says. */
export async function tellStory({ terminal, write, isSlow, onEnd }: StoryOptions): Promise<boolean> {
  const stage = new Stage({ terminal, write, pauseMs: isSlow ? slowPauseMs : 0 });
  const startedMs = performance.now();
  const folder = await mkdtemp(join(tmpdir(), "latchkey-demo-"));
  const orders: Order[] = [];
  let kept: KeptStory | undefined;
  let broker: RunningProcess | undefined;
  let pizzeria: MqttClient | undefined;
  const forgetSignals = onSignal(() => {
    void broker?.stop();
    rmSync(folder, { recursive: true, force: true });
    process.exit(130);
  });
  try {
    await stage.open(
      "The pizza button",
      "The AWS IoT security model from end to end: real processes, sockets, certificates",
    );
    broker = await startBroker("--data", join(folder, "data"));
    const play: Play = { stage, folder, broker, orders };
    const identities = await makeIdentities(play);
    pizzeria = await openPizzeria(play, (one) => {
      orders.push(one);
      kept?.onOrder(one);
    });
    await tellIdentities(play, identities);
    await order(play);
    await orderForNeighbour(play);
    await revoke(play);
    const attacks = await attack(play);
    await tellEnd(stage, terminal, { attacks, seconds: (performance.now() - startedMs) / 1000 });
    forgetSignals();
    kept = { folder, onOrder: () => {} };
    await onEnd?.(kept);
    return true;
  } catch (error) {
    if (!(error instanceof StoryError)) throw error;
    await stage.say("");
    await stage.refused("broken", error.message);
    await stage.say("The story did not go as the article has it.");
    return false;
  } finally {
    forgetSignals();
    await pizzeria?.disconnect();
    await broker?.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Calls back when the person interrupts the program. The returned function stops that. */
function onSignal(then: () => void): () => void {
  const names = ["SIGINT", "SIGTERM"] as const;
  for (const name of names) process.once(name, then);
  return () => {
    for (const name of names) process.off(name, then);
  };
}

async function tellEnd(
  stage: Stage,
  { paint }: Terminal,
  { attacks, seconds }: { readonly attacks: number; readonly seconds: number },
): Promise<void> {
  const count = buttons.length;
  await stage.scene("The end", `${seconds.toFixed(1)} seconds, every step done for real`);
  await stage.verified("identities", `${count}, in the three ways`);
  await stage.verified("orders", `${count} of ${count} delivered to the pizzeria, each from the button that it names`);
  // The neighbour's topic and the revoked certificate came before the others.
  await stage.refused("attacks", `${attacks + 2} of ${attacks + 2} refused`);
  await stage.say("");
  await stage.say(paint("strong", "Every step did what the article says. Nobody ate on the neighbour's account."));
}
