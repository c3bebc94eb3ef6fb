/**
 * What npm shows of a published package besides its name and version, from one place.
 *
 *     metadata.ts            fails where a manifest says something else
 *     metadata.ts --write    writes the manifests
 *     metadata.ts --release  fails, too, while the repository has no address
 */

import { globSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** Where the repository is published, as `https://HOST/OWNER/NAME`. Empty as long as that is not decided. */
const repositoryAddress: string = "";

/** What every package is found by, and what each is found by besides. */
const sharedKeywords = ["aws-iot", "iot", "latchkey"];
const packages: Readonly<Record<string, { readonly description: string; readonly keywords: readonly string[] }>> = {
  asn1: {
    description: "Strict DER reader and writer, object identifiers and PEM",
    keywords: ["asn1", "ber", "der", "oid", "pem"],
  },
  "broker-core": {
    description: "An MQTT broker without sockets: bytes and time in, bytes and events out",
    keywords: ["broker", "mqtt", "mqtt-broker", "sans-io"],
  },
  chain: {
    description: "Certificate chains by RFC 5280: path building, validation, revocation, and why a chain is refused",
    keywords: ["certificate", "chain", "crl", "ocsp", "pki", "rfc5280", "revocation", "x509"],
  },
  crypto: {
    description:
      "Signatures, key agreement, hashes and AEAD behind one small interface, with a node:crypto and a noble provider",
    keywords: ["aead", "crypto", "ecdsa", "ed25519", "hkdf", "rsa", "signature", "x25519"],
  },
  "mqtt-codec": {
    description: "MQTT 3.1.1 and 5.0 packets: streaming decoder and encoder, topic names and filters",
    keywords: ["codec", "decoder", "encoder", "mqtt", "mqtt5", "packet", "parser"],
  },
  policy: {
    description: "AWS IoT policies offline: parse, lint, decide, explain",
    keywords: ["authorization", "aws-iot-policy", "iam", "policy", "policy-variables"],
  },
  registry: {
    description: "Device certificates, certificate authorities, policies and attachments behind a storage port",
    keywords: ["certificate", "device", "identity", "registry", "sqlite"],
  },
  tls: {
    description: "TLS 1.2 and 1.3 without I/O: bytes in, bytes and events out, with a trace of every handshake message",
    keywords: ["handshake", "mtls", "sans-io", "tls", "tls13"],
  },
  x509: {
    description: "X.509 certificates, requests and revocation lists: parse, print, issue",
    keywords: ["certificate", "crl", "csr", "pkcs10", "pkcs8", "pki", "x509"],
  },
};

const root = fileURLToPath(new URL("../../../", import.meta.url));
const [option, ...rest] = process.argv.slice(2);
if (rest.length > 0 || ![undefined, "--write", "--release"].includes(option)) {
  console.error("Usage: metadata.ts [--write | --release]");
  process.exitCode = 2;
} else {
  const problems = globSync("packages/*/package.json", { cwd: root })
    .sort()
    .flatMap((path) => checkManifest(path, option === "--write"));
  if (option === "--release" && repositoryAddress === "") {
    problems.push(
      "The repository has no address: set repositoryAddress in tooling/repository/src/metadata.ts, then run npm run metadata -- --write",
    );
  }
  for (const problem of problems) console.error(problem);
  if (problems.length > 0) process.exitCode = 1;
}

function checkManifest(path: string, isWriting: boolean): string[] {
  const folder = dirname(path);
  const expected = fieldsOf(folder);
  if (expected === undefined) return [`${path}: no description and keywords in tooling/repository/src/metadata.ts`];
  const text = readFileSync(join(root, path), "utf8");
  const manifest = JSON.parse(text) as Record<string, unknown>;
  const updated: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(manifest)) {
    // The fields come after the version, in the order that the formatter keeps; older ones of that name go.
    if (!(name in expected) && !["bugs", "homepage", "repository"].includes(name)) updated[name] = value;
    if (name === "version") Object.assign(updated, expected);
  }
  if (isWriting) writeFileSync(join(root, path), `${JSON.stringify(updated, undefined, 2)}\n`);
  const differs = (name: string): boolean => JSON.stringify(manifest[name]) !== JSON.stringify(updated[name]);
  const fields = [...Object.keys(expected), "bugs", "homepage", "repository"].filter(differs);
  if (isWriting || fields.length === 0) return [];
  return [`${path}: ${[...new Set(fields)].join(", ")}: run npm run metadata -- --write`];
}

function fieldsOf(folder: string): Record<string, unknown> | undefined {
  const shown = packages[folder.split("/")[1] ?? ""];
  if (shown === undefined) return undefined;
  const keywords = [...new Set([...shown.keywords, ...sharedKeywords])].sort();
  const fields = { description: shown.description, keywords };
  if (repositoryAddress === "") return fields;
  return {
    ...fields,
    homepage: `${repositoryAddress}/tree/main/${folder}#readme`,
    bugs: { url: `${repositoryAddress}/issues` },
    repository: { type: "git", url: `git+${repositoryAddress}.git`, directory: folder },
  };
}
