/** A broker that the bench did not start. */

import { readFileSync } from "node:fs";
import { isIP } from "node:net";
import { LoadError, messageOf } from "../errors.ts";
import type { Settings } from "../settings.ts";
import type { Authorities } from "../identities.ts";
import type { Target } from "./target.ts";

/** Makes a target of the settings that begin with a URL. Throws `ERR_LOAD_USAGE`. */
export function urlTarget(settings: Settings, authorities: Authorities): Target {
  const { url, httpUrl, controlPlaneUrl, insecure, tls, ca } = settings;
  const [flag, name, protocols] =
    url !== undefined
      ? (["--url", url, ["mqtts:", "mqtt:"]] as const)
      : httpUrl !== undefined
        ? (["--http-url", httpUrl, ["https:"]] as const)
        : (["--control-plane-url", controlPlaneUrl ?? "", ["https:", "http:"]] as const);
  const parsed = parseUrl(flag, name, protocols);
  const isSecure = parsed.protocol === "mqtts:" || parsed.protocol === "https:";
  const host = parsed.hostname.replace(/^\[(.*)\]$/, "$1");
  const port = parsed.port === "" ? defaultPorts[parsed.protocol] : Number(parsed.port);
  if (port === undefined) throw new LoadError("ERR_LOAD_USAGE", `${name} has no port`);
  return {
    name,
    version: "unknown",
    speaks: "mqtt",
    endpoint: {
      host,
      port,
      tls: isSecure ? { serverName: isIP(host) === 0 ? host : "", version: tls, isVerified: !insecure } : undefined,
    },
    roots: ca === undefined ? authorities.serverAuthority.certificate : readPem("--ca", ca),
    httpUrl,
    controlPlaneUrl,
    processes: [],
    notes: ["the target is not started by the bench: its CPU time and memory are not known"],
    ended: new Promise(() => {}),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

const defaultPorts: Readonly<Record<string, number>> = { "mqtts:": 8883, "mqtt:": 1883, "https:": 8443, "http:": 80 };

/** Reads a URL of one of the given protocols. Throws `ERR_LOAD_USAGE`. */
function parseUrl(flag: string, text: string, protocols: readonly string[]): URL {
  const parsed = URL.canParse(text) ? new URL(text) : undefined;
  if (parsed !== undefined && protocols.includes(parsed.protocol) && parsed.hostname !== "") return parsed;
  const examples = protocols.map((protocol) => `${protocol}//HOST:PORT`).join(" or ");
  throw new LoadError("ERR_LOAD_USAGE", `${flag} is ${text}: it has the form ${examples}`);
}

/** Reads a PEM file. Throws `ERR_LOAD_USAGE`. */
export function readPem(flag: string, file: string): string {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (cause) {
    throw new LoadError("ERR_LOAD_USAGE", `${flag} ${file} cannot be read: ${messageOf(cause)}`, { cause });
  }
  if (!text.includes("-----BEGIN ")) {
    throw new LoadError(
      "ERR_LOAD_USAGE",
      `${flag} ${file} is no PEM: no line begins with -----BEGIN; DER is converted with openssl`,
    );
  }
  return text;
}
