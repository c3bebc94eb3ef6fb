/** Whether the server at the other end of a TLS connection is believed: by our chain verifier and the given roots alone. */

import { isIP } from "node:net";
import { messageOf } from "@latchkey/command-line";
import { createChainVerifier, describeFailure } from "@latchkey/chain";
import { nodeProvider } from "@latchkey/crypto/node";
import { certificatesFromPem, nameText, parseCertificate } from "@latchkey/x509";
import type { SecureStream } from "./secure-stream.ts";

/** What the server's side of the handshake turned out to be. */
export interface ServerIdentity {
  /** `TLSv1.3` or `TLSv1.2`. */
  readonly protocol: string;
  /** RFC 4514 text of the subject. */
  readonly subject: string;
  /** RFC 4514 text of the root that vouches for it. */
  readonly root: string;
}

export type ServerVerdict =
  | { readonly ok: true; readonly server: ServerIdentity }
  | { readonly ok: false; readonly reason: string };

/** Judges the certificates of a finished handshake for serverAuth under `serverName`, now. `roots` is PEM. */
export function judgeServer({ chain, protocol }: SecureStream, roots: string, serverName: string): ServerVerdict {
  try {
    const [certificate, ...intermediates] = chain.map((der) => parseCertificate(der));
    if (certificate === undefined) return { ok: false, reason: "the server sent no certificate" };
    const trustAnchors = certificatesFromPem(roots);
    const verifier = createChainVerifier({ provider: nodeProvider, trustAnchors, profile: "rfc5280" });
    const referenceName = { type: isIP(serverName) === 0 ? "dns" : "ip", value: serverName } as const;
    const time = Math.floor(Date.now() / 1000);
    const result = verifier.verify({
      certificate,
      intermediates,
      purpose: "serverAuth",
      referenceNames: [referenceName],
      time,
    });
    if (!result.ok) {
      const reasons = result.failures.map((failure) => `its certificate ${describeFailure(failure)} (${failure.code})`);
      return { ok: false, reason: reasons.join("; ") };
    }
    const server = {
      protocol,
      subject: nameText(certificate.subject),
      root: nameText(result.trustAnchor.name),
    };
    return { ok: true, server };
  } catch (error) {
    return { ok: false, reason: messageOf(error) };
  }
}
