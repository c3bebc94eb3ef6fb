/** A broker that the bench did not start. */

import { readFileSync } from "node:fs";
import { isIP } from "node:net";
import { LoadError, messageOf } from "../errors.ts";
import type { Endpoint } from "../client.ts";
import { flagOf, type Settings } from "../settings.ts";
import { environmentCredentials } from "../signing-credentials.ts";
import type { Authorities } from "../identities.ts";
import type { Target } from "./target.ts";

/** The protocols that each flag of a URL takes. */
const protocolsOf = {
  url: ["mqtts:", "mqtt:"],
  httpUrl: ["https:"],
  controlPlaneUrl: ["https:", "http:"],
} as const;
type UrlName = keyof typeof protocolsOf;

/** Makes a target of the settings that begin with a URL. Throws `ERR_LOAD_USAGE`. */
export function urlTarget(settings: Settings, authorities: Authorities): Target {
  const name = settings.url ?? settings.httpUrl ?? settings.controlPlaneUrl ?? "";
  return {
    name,
    version: "unknown",
    speaks: "mqtt",
    endpoint: endpointOfUrl(new URL(name), settings),
    roots: settings.ca === undefined ? authorities.serverAuthority.certificate : readPem("--ca", settings.ca),
    httpUrl: settings.httpUrl,
    controlPlaneUrl: settings.controlPlaneUrl,
    controlPlaneCredentials: environmentCredentials(process.env),
    processes: [],
    notes: [
      "the target is not started by the bench: its CPU time and memory are not known",
      ...(usedUrl(settings).protocol.endsWith("s:") ? [] : ["everything is sent in clear: the URL has no TLS"]),
    ],
    ended: new Promise(() => {}),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

/** The URL that the scenario loads. */
function usedUrl({ scenario, url, httpUrl, controlPlaneUrl }: Settings): URL {
  const own = scenario === "http-press" ? httpUrl : scenario === "control-plane" ? controlPlaneUrl : url;
  return new URL(own ?? url ?? httpUrl ?? controlPlaneUrl ?? "");
}

const defaultPorts: Readonly<Record<string, number>> = { "mqtts:": 8883, "mqtt:": 1883, "https:": 443, "http:": 80 };

/** Where a URL leads to. The server's name is the URL's; an address has none (RFC 6066 §3), its certificate is checked all the same. */
export function endpointOfUrl(url: URL, { tls, insecure }: Pick<Settings, "tls" | "insecure">): Endpoint {
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  return {
    host,
    port: url.port === "" ? (defaultPorts[url.protocol] ?? 0) : Number(url.port),
    tls:
      url.protocol === "mqtts:" || url.protocol === "https:"
        ? { serverName: isIP(host) === 0 ? host : "", version: tls, isVerified: !insecure }
        : undefined,
  };
}

/** Throws `ERR_LOAD_USAGE` where one of the URLs is none, or has a protocol that its flag does not take. */
export function checkUrls(settings: Settings): void {
  for (const name of ["url", "httpUrl", "controlPlaneUrl"] as const) checkUrl(name, settings[name]);
}

function checkUrl(name: UrlName, text: string | undefined): void {
  if (text === undefined) return;
  const protocols: readonly string[] = protocolsOf[name];
  const parsed = URL.canParse(text) ? new URL(text) : undefined;
  const isBare = parsed !== undefined && parsed.search === "" && parsed.hash === "" && /^\/?$/.test(parsed.pathname);
  const hasUser = parsed !== undefined && parsed.username + parsed.password !== "";
  if (isBare && !hasUser && protocols.includes(parsed.protocol) && parsed.hostname !== "" && parsed.port !== "0")
    return;
  const examples = protocols.map((protocol) => `${protocol}//HOST:PORT`).join(" or ");
  const shown = hasUser ? "a URL with a user name or password" : text;
  throw new LoadError("ERR_LOAD_USAGE", `--${flagOf(name)} is ${shown}: it has the form ${examples}`);
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
