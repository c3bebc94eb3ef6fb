/** How many connections the system's limit on open files leaves room for. */

import { report } from "node:process";

/**
 * For everything but devices' connections: the registry and the sessions with what SQLite has beside them, logs, listeners, metrics,
 * the control plane. Of a small limit, half is kept.
 */
const descriptorsOfOthers = 128;

/** The limit, and what it leaves for connections. */
export interface OpenFiles {
  readonly maximumOpenFiles: number;
  readonly maximumConnections: number;
}

/** Asks the system; undefined where it has no limit or does not say. Takes some milliseconds. */
export function openFiles(): OpenFiles | undefined {
  // Names of other hosts would be looked up. The types of node do not have the property yet.
  Reflect.set(report, "excludeNetwork", true);
  const maximumOpenFiles = softLimit(report.getReport());
  if (maximumOpenFiles === undefined) return undefined;
  return { maximumOpenFiles, maximumConnections: connectionsWithin(maximumOpenFiles) };
}

/** Connections that fit into a limit on open files. */
export function connectionsWithin(maximumOpenFiles: number): number {
  return maximumOpenFiles - Math.min(descriptorsOfOthers, Math.ceil(maximumOpenFiles / 2));
}

function softLimit(given: unknown): number | undefined {
  const soft = memberOf(memberOf(memberOf(given, "userLimits"), "open_files"), "soft");
  return typeof soft === "number" ? soft : undefined;
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null
    ? new Map<string, unknown>(Object.entries(value)).get(name)
    : undefined;
}
