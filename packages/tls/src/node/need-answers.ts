/** Answering the questions of an engine by functions that may take their time. */

import type { Credential } from "../credential.ts";
import type { CredentialRequest, NeedEvent } from "../engine.ts";
import type { PeerToVerify, PeerVerdict } from "../peer-verifier.ts";
import type { SignatureScheme } from "../signature-scheme.ts";

/** What answers the questions of a config that says `"ask"`, and of credentials without `sign`. */
export interface NeedAnswers {
  readonly credential?: (request: CredentialRequest) => Credential | undefined | Promise<Credential | undefined>;
  /** Signs by a key that is elsewhere: an HSM, another process, a key service. */
  readonly sign?: (
    scheme: SignatureScheme,
    data: Uint8Array,
    credential: Credential,
  ) => Uint8Array | Promise<Uint8Array>;
  readonly verifyPeer?: (peer: PeerToVerify) => PeerVerdict | Promise<PeerVerdict>;
  readonly sealTicket?: (session: Uint8Array) => Uint8Array | undefined | Promise<Uint8Array | undefined>;
  readonly openTicket?: (ticket: Uint8Array) => Uint8Array | undefined | Promise<Uint8Array | undefined>;
}

/**
 * Answers one question. Without a function for it, and where that fails, the answer is no: no credential, no signature, no
 * trust, no ticket.
 */
export async function answerNeed(need: NeedEvent, answers: NeedAnswers): Promise<void> {
  switch (need.need) {
    case "credential":
      need.answer(await orNothing(() => answers.credential?.(need.request)));
      break;
    case "sign":
      await answerSignature(need, answers);
      break;
    case "verifyPeer":
      need.answer(await verdict(() => answers.verifyPeer?.(need.peer)));
      break;
    case "sealTicket":
      need.answer(await orNothing(() => answers.sealTicket?.(need.session)));
      break;
    default:
      need.answer(await orNothing(() => answers.openTicket?.(need.ticket)));
  }
}

/** A rejection becomes the `cause` of the connection's error: only the key's holder knows what is wrong with it. */
async function answerSignature(
  { scheme, data, credential, answer }: Extract<NeedEvent, { readonly need: "sign" }>,
  { sign }: NeedAnswers,
): Promise<void> {
  let signature: Uint8Array | undefined;
  let cause: unknown;
  try {
    signature = await sign?.(scheme, data, credential);
  } catch (error) {
    cause = error;
  }
  answer(signature, cause);
}

async function orNothing<Value>(ask: () => Value | undefined | Promise<Value | undefined>): Promise<Value | undefined> {
  try {
    return await ask();
  } catch {
    return undefined;
  }
}

async function verdict(ask: () => PeerVerdict | undefined | Promise<PeerVerdict>): Promise<PeerVerdict> {
  try {
    return (await ask()) ?? { ok: false, alert: "internal_error", reason: "nothing verifies the peer" };
  } catch (reason) {
    return { ok: false, alert: "internal_error", reason };
  }
}
