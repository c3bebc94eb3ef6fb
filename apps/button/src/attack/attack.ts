/** What an attack is, and what became of it. */

import { ButtonError, type ButtonErrorCode } from "../errors.ts";

/**
 * Where a broker stops an attack. `handshake`: a proof of TLS did not hold, or the protocol does not allow it. `certificate`: the key is
 * there, and the certificate is not believed. `policy`: the client is known, and may not do that.
 */
type StoppingLayer = "handshake" | "certificate" | "policy";

/** What became of an attack. */
export type Outcome =
  | { readonly is: "stopped"; readonly layer: StoppingLayer; readonly evidence: string }
  /** What was reached. */
  | { readonly is: "through"; readonly evidence: string }
  /** The attack did not come far enough to be refused: nobody there, no answer. It proves nothing. */
  | { readonly is: "unclear"; readonly evidence: string };

/** An attack on a broker. */
export interface Attack {
  readonly name: string;
  /** What is tried, as the end of a sentence. */
  readonly attempt: string;
  /** Where it has to stop. */
  readonly expected: StoppingLayer;
  /** Tries it. */
  readonly run: () => Promise<Outcome>;
}

/** What each refusal says about the layer; what is not in the table is no refusal. */
const refusals: Partial<Readonly<Record<ButtonErrorCode, StoppingLayer>>> = {
  ERR_BUTTON_TLS: "handshake",
  ERR_BUTTON_CERTIFICATE_REFUSED: "certificate",
  ERR_BUTTON_REFUSED: "policy",
  ERR_BUTTON_SUBSCRIPTION_REFUSED: "policy",
  ERR_BUTTON_CLOSED: "policy",
  ERR_BUTTON_FORBIDDEN: "policy",
};

/** Runs an attempt; it got through where it does not reject. */
export async function outcomeOf(reached: string, attempt: () => Promise<unknown>): Promise<Outcome> {
  try {
    await attempt();
    return { is: "through", evidence: reached };
  } catch (error) {
    if (!(error instanceof ButtonError)) throw error;
    const layer = refusals[error.code];
    if (layer === undefined) return { is: "unclear", evidence: `${error.code}: ${error.message}` };
    return { is: "stopped", layer, evidence: error.message };
  }
}

/**
 * The same for a client whose certificate is the attack: a broker that connects it only to refuse CONNECT has looked at the certificate,
 * because the policy would have let it connect.
 */
export async function outcomeOfCertificate(attempt: () => Promise<unknown>): Promise<Outcome> {
  const outcome = await outcomeOf("the broker acknowledged its press", attempt);
  const isAtConnect = outcome.is === "stopped" && outcome.evidence.startsWith("CONNACK");
  return isAtConnect ? { ...outcome, layer: "certificate" } : outcome;
}

/** Whether the attack ended where it has to. */
export function isHeld(attack: Attack, outcome: Outcome): boolean {
  return outcome.is === "stopped" && outcome.layer === attack.expected;
}
