/** A broker or server under load: what the bench has to know of it. */

import type { Endpoint } from "../client.ts";
import type { Authorities } from "../identities.ts";
import type { SigningCredentials } from "../signing-credentials.ts";

/** A target that is ready. Its disposal stops what the bench started. */
export interface Target extends AsyncDisposable {
  /** `latchkey`, `latchkey-tls`, `mosquitto`, `aedes`, `node-tls`, or the URL. */
  readonly name: string;
  readonly version: string;
  /** `tls` is a server that does handshakes and holds connections, and knows no MQTT. */
  readonly speaks: "mqtt" | "tls";
  readonly endpoint: Endpoint;
  /** PEM of the roots that its certificate is checked with; undefined: those of Node. */
  readonly roots: string | undefined;
  /** Where it takes a publish by HTTPS, `https://HOST:PORT`; undefined where it has no such listener. */
  readonly httpUrl: string | undefined;
  /** Where its control plane is; undefined where it has none. */
  readonly controlPlaneUrl: string | undefined;
  /** What its calls are signed with; undefined: not signed. */
  readonly controlPlaneCredentials: SigningCredentials | undefined;
  /** Its processes, where they are on this machine and known. */
  readonly processes: readonly TargetProcess[];
  readonly notes: readonly string[];
  /** Resolves with a sentence when the target ends although nobody stopped it. */
  readonly ended: Promise<string>;
}

/** A process of a target. */
export interface TargetProcess {
  readonly pid: number;
  readonly name: string;
}

/** What a target is started with. */
export interface TargetOptions {
  /** A folder for this target alone; it is removed afterwards. */
  readonly folder: string;
  readonly authorities: Authorities;
  /** How many devices have to be known to it. */
  readonly devices: number;
  readonly isPlain: boolean;
  readonly tlsVersion: "1.2" | "1.3";
  /** Cores that the target is pinned to, as taskset takes them; undefined: not pinned. */
  readonly cores: string | undefined;
}

/** The endpoint of a target that the bench starts: loopback, and the certificate is checked. */
export function localEndpoint(port: number, { isPlain, tlsVersion }: TargetOptions): Endpoint {
  return {
    host: "127.0.0.1",
    port,
    tls: isPlain ? undefined : { serverName: "localhost", version: tlsVersion, isVerified: true },
  };
}

/** Every topic of the bench is `bench/CLIENT/...`: a client publishes below its own name and may read all of them. */
export const topicRoot = "bench";
