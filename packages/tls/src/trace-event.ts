/**
 * What a trace says, step by step. Secrets appear by name only; what is public anyway (randoms, public values, hashes of
 * the transcript) by value, in hexadecimal.
 */

import type { ProtocolVersion } from "./protocol-version.ts";

/** A value in a decoded message. */
export type TraceValue = string | number | boolean | readonly TraceValue[] | { readonly [name: string]: TraceValue };

/** The side that took the step. */
export type TraceRole = "client" | "server";

/** One step of a handshake. */
export type TraceEvent =
  /** A handshake message, with the transcript hash before and after it where the hash is known already. */
  | {
      readonly step: "message";
      readonly by: TraceRole;
      readonly isOurs: boolean;
      readonly name: string;
      /** Octets with the message's header. */
      readonly octets: number;
      readonly isEncrypted: boolean;
      readonly fields: { readonly [name: string]: TraceValue };
      readonly transcript: { readonly hash: string; readonly before: string; readonly after: string } | undefined;
    }
  /** ChangeCipherSpec, which is a message in TLS 1.2 and says nothing in 1.3. */
  | { readonly step: "changeCipherSpec"; readonly by: TraceRole; readonly isOurs: boolean }
  /** A secret or key was made: its name, what it was made from, how. Never its value. */
  | {
      readonly step: "derived";
      readonly name: string;
      readonly from: string;
      readonly how: string;
      readonly transcriptHash: string | undefined;
    }
  /** A direction is encrypted from here on. */
  | {
      readonly step: "keys";
      readonly by: TraceRole;
      readonly isOurs: boolean;
      readonly epoch: string;
      readonly suite: string;
    }
  /** A signature was made or checked. */
  | {
      readonly step: "signature";
      readonly by: TraceRole;
      readonly isOurs: boolean;
      readonly scheme: string;
      /** The key that it is by: kind and certificate. */
      readonly key: string;
      /** What was signed, in words. */
      readonly over: string;
      readonly transcriptHash: string | undefined;
    }
  /** The peer's Finished was checked. */
  | { readonly step: "finishedVerified"; readonly by: TraceRole }
  /** The peer's chain was verified. */
  | {
      readonly step: "chain";
      readonly by: TraceRole;
      readonly isAccepted: boolean;
      readonly certificates: readonly { readonly subject: string; readonly issuer: string; readonly key: string }[];
      readonly reason: string | undefined;
      readonly isResumption: boolean;
    }
  | { readonly step: "alert"; readonly isOurs: boolean; readonly level: string; readonly description: string }
  | { readonly step: "state"; readonly state: string }
  | {
      readonly step: "established";
      readonly version: ProtocolVersion;
      readonly suite: string;
      readonly group: string;
      readonly isResumption: boolean;
      readonly serverName: string | undefined;
      readonly alpnProtocol: string | undefined;
    };

/** Gets each step as it happens. It must not throw. */
export type Trace = (event: TraceEvent) => void;
