/** Decides whether the server of a TLS connection is trusted. Only our chain verifier and the given roots decide. */

import { isIP } from "node:net";
import type { Duplex } from "node:stream";
import { messageOf } from "@latchkey/command-line";
import { createChainVerifier, explainChain } from "@latchkey/chain";
import { nodeProvider } from "@latchkey/crypto/node";
import { certificatesFromPem, nameText, parseCertificate } from "@latchkey/x509";
import { ButtonError } from "./errors.ts";
import { openSecureStream, type HandshakeFacts, type SecureStream, type SecureStreamOptions } from "./secure-stream.ts";

/** The identity of the server, as its certificate says it. */
export interface ServerIdentity extends HandshakeFacts {
  /** RFC 4514 text of the subject. */
  readonly subject: string;
  /** RFC 4514 text of the root that vouches for it. */
  readonly root: string;
}

/** Whether the server is trusted, as a step of a press. */
export interface ServerStep {
  readonly step: "server";
  readonly isTrusted: boolean;
  /** The name that the certificate has to have. */
  readonly name: string;
  /** What `explainChain` says: the path, each check that holds, what fails and what mends it. */
  readonly explanation: readonly string[];
}

/** What connecting needs: the options of the connection, and a function that is called for each step. */
export interface TrustedConnectionOptions extends Omit<SecureStreamOptions, "onStep"> {
  readonly onStep?:
    | ((step: Parameters<NonNullable<SecureStreamOptions["onStep"]>>[0] | ServerStep) => void)
    | undefined;
}

/** A connection to a server that is trusted. */
export interface TrustedConnection {
  readonly stream: Duplex;
  readonly server: ServerIdentity;
}

/**
 * Connects and verifies the server before an octet of the application is sent.
 *
 * Rejects as `openSecureStream`, and with `ERR_BUTTON_SERVER_NOT_TRUSTED`.
 */
export async function connectToTrusted(options: TrustedConnectionOptions): Promise<TrustedConnection> {
  const secure = await openSecureStream(options);
  // The server may end the connection while it is verified.
  secure.stream.on("error", () => {});
  const name = options.serverName ?? options.host;
  const verdict = verifyServer(secure, options.roots, name);
  options.onStep?.({ step: "server", isTrusted: verdict.ok, name, explanation: verdict.explanation });
  if (verdict.ok) return { stream: secure.stream, server: verdict.server };
  secure.stream.destroy();
  throw new ButtonError("ERR_BUTTON_SERVER_NOT_TRUSTED", verdict.reason);
}

type ServerVerdict =
  | { readonly ok: true; readonly server: ServerIdentity; readonly explanation: readonly string[] }
  | { readonly ok: false; readonly reason: string; readonly explanation: readonly string[] };

/** Verifies the certificates of a finished handshake for serverAuth under `serverName`, now. `roots` is PEM. */
function verifyServer({ chain, handshake }: SecureStream, roots: string, serverName: string): ServerVerdict {
  try {
    const [certificate, ...intermediates] = chain.map((der) => parseCertificate(der));
    if (certificate === undefined) return unreadable("the server sent no certificate");
    const verifier = createChainVerifier({
      provider: nodeProvider,
      trustAnchors: certificatesFromPem(roots),
      profile: "rfc5280",
    });
    const result = verifier.verify({
      certificate,
      intermediates,
      purpose: "serverAuth",
      referenceNames: [{ type: isIP(serverName) === 0 ? "dns" : "ip", value: serverName }],
      time: Math.floor(Date.now() / 1000),
    });
    const explanation = explainChain(result, { holding: true });
    if (!result.ok) {
      const fails = explanation.filter((line) => line.startsWith("  fails  ")).map((line) => line.slice(9));
      return { ok: false, reason: `its certificate is refused: ${fails.join("; ")}`, explanation };
    }
    const subject = nameText(certificate.subject);
    return { ok: true, server: { ...handshake, subject, root: nameText(result.trustAnchor.name) }, explanation };
  } catch (error) {
    return unreadable(messageOf(error));
  }
}

function unreadable(reason: string): ServerVerdict {
  return { ok: false, reason, explanation: [`refused: ${reason}`] };
}
