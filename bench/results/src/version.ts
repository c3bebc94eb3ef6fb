/** The versions of what is compared, as installed. */

import { readFileSync } from "node:fs";
import { findPackageJSON } from "node:module";

/** The version of a package as `from` (a file or module URL) would import it; null where it is not installed. */
export function installedVersion(name: string, from: string | URL): string | null {
  try {
    const file = findPackageJSON(name, from);
    if (file === undefined) return null;
    const { version }: { version?: unknown } = JSON.parse(readFileSync(file, "utf8"));
    return typeof version === "string" ? version : null;
  } catch {
    return null;
  }
}
