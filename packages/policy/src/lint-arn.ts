/** Lint: the front of an ARN in Resource, which a slip of the pen makes match nothing, or more than is meant. */

import type { ElementValue, ParsedPolicy } from "./document.ts";
import { shorten } from "./errors.ts";
import type { LintRun, LintSubject } from "./lint-run.ts";
import { nearestName } from "./spelling.ts";

/** The types of resource that AWS IoT has for devices. */
const types: readonly string[] = ["client", "topic", "topicfilter", "thing", "rolealias"];

/** Reports a faulty front: six segments, of AWS IoT, without variables. Returns whether there is a fault. */
export function lintArn(run: LintRun, { compiled, actions }: LintSubject, value: ElementValue): boolean {
  const { policy } = compiled;
  if (!value.text.startsWith("arn:") || actions.size === 0) return false;
  const segments = value.text.split(":");
  if (policy.version === "2012-10-17" && segments.slice(0, 5).join(":").includes("${")) {
    const message = "variables stand for something only behind the fifth colon of an ARN; here it is text";
    run.report("variable-in-arn-head", policy, value.at, message, "write the region and account themselves, or *");
    return true;
  }
  const fault = arnFault(value.text, segments);
  if (fault !== undefined) {
    run.report("malformed-arn", policy, value.at, fault.message, fault.fix);
    return true;
  }
  if (segments.length < 6) lintShortArn(run, policy, value);
  return false;
}

interface Fault {
  readonly message: string;
  readonly fix: string;
}

/**
 * What is wrong, and the ARN that was probably meant. The type of the resource is the landmark: what stands in front of it is
 * told apart by its form, and put in its place.
 */
function arnFault(text: string, segments: readonly string[]): Fault | undefined {
  const at = segments.findIndex((segment, index) => index > 0 && resourcePattern.test(segment));
  if (at === -1) return typeFault(segments) ?? serviceFault(segments);
  const head = segments.slice(1, at);
  if (at < 5 && head.some((segment) => segment.endsWith("*"))) return undefined;
  const [, glued = "", slash = "", type = ""] = resourcePattern.exec(segments[at] ?? "") ?? [];
  const behind = segments
    .slice(at)
    .join(":")
    .slice(glued.length + slash.length + type.length);
  const parts = headParts(glued === "" ? head : [...head, glued]);
  const resource = `${type.toLowerCase()}${behind.replace(/^:/, "/")}`;
  const meant = `arn:${parts.partition}:${parts.service}:${parts.region ?? "REGION"}:${parts.account ?? "ACCOUNT"}:${resource}`;
  if (meant === text) return accountFault(parts.account);
  const missing = [parts.region === undefined && "the region", parts.account === undefined && "the account"];
  const named = missing.filter((name) => name !== false).join(" and ");
  const message = messageOf({ ...parts, head, glued, slash, type, behind, named });
  return { message, fix: `write ${meant}${named === "" ? "" : ` with ${named}`}` };
}

/** Digits of an account without their colon, a slash in front, the type, and a slash or the end. */
const resourcePattern = /^([0-9]{12})?(\/?)(client|topicfilter|topic|thing|rolealias)(?=\/|$)/i;

interface HeadParts {
  readonly partition: string;
  /** `iot`, or a pattern that can stand for it. */
  readonly service: string;
  /** Where it stands and is not AWS IoT. */
  readonly otherService: string | undefined;
  readonly isServiceRepeated: boolean;
  readonly region: string | undefined;
  readonly account: string | undefined;
}

function headParts(head: readonly string[]): HeadParts {
  const filled = head.filter((segment) => segment !== "");
  const [partition = "aws", ...others] = filled;
  const [service] = others;
  const hasService = service !== undefined && !isRegion(service) && !isAccount(service);
  const isPattern = service !== undefined && /[*?]/.test(service);
  const places = (hasService ? others.slice(1) : others).filter((segment) => segment !== "iot");
  const [first, second] = places;
  const isFirstAccount = second === undefined && first !== undefined && isAccount(first);
  return {
    partition,
    service: isPattern ? service : "iot",
    otherService: service === "iot" || isPattern ? undefined : service,
    isServiceRepeated: others.lastIndexOf("iot") > 0,
    region: isFirstAccount ? undefined : regionOf(first),
    account: isFirstAccount ? first : accountOf(second),
  };
}

function isRegion(text: string): boolean {
  return /^[a-z]{2}(?:[-_][a-z]+)+[-_][0-9]$/i.test(text);
}

function isAccount(text: string): boolean {
  return /^[0-9]{4}-?[0-9]{4}-?[0-9]{4}$/.test(text);
}

/** Regions are lower case, with hyphens. */
function regionOf(text: string | undefined): string | undefined {
  return text !== undefined && isRegion(text) ? text.toLowerCase().replaceAll("_", "-") : text;
}

/** The console shows accounts with hyphens. */
function accountOf(text: string | undefined): string | undefined {
  return text !== undefined && isAccount(text) ? text.replaceAll("-", "") : text;
}

interface FaultyParts extends HeadParts {
  readonly head: readonly string[];
  readonly glued: string;
  readonly slash: string;
  readonly type: string;
  readonly behind: string;
  /** What is missing, in words. */
  readonly named: string;
}

function messageOf(parts: FaultyParts): string {
  const { head, glued, slash, type, behind, named, otherService, isServiceRepeated } = parts;
  if (head.includes("")) {
    return named === ""
      ? "there is a colon too many in the ARN, so its parts stand in the wrong places"
      : `${named} of the ARN ${named.includes(" and ") ? "are" : "is"} empty, so no request matches`;
  }
  if (otherService !== undefined) {
    return `the third part of the ARN is ${shorten(otherService)} and not iot, so no request of AWS IoT matches`;
  }
  if (isServiceRepeated) return "iot: stands in front of the resource as well, so no request matches";
  if (glued !== "") return "a colon is missing between the account and the resource";
  if (named !== "") {
    return "a part of the ARN is missing, so the resource stands where the account or the region belongs";
  }
  if (slash !== "") return `a slash stands in front of ${type}/, so no request matches`;
  if (behind.startsWith(":")) return `a colon stands behind ${type}, where an ARN of AWS IoT has a slash`;
  if (type !== type.toLowerCase()) return `types of resources compare with case: there is no ${type}/...`;
  return "region and account are not written as in the ARNs of requests, so none matches";
}

function accountFault(account: string | undefined): Fault | undefined {
  if (account === undefined || /[*?]/.test(account) || /^[0-9]{12}$/.test(account)) return undefined;
  const message = `an account has 12 digits, so no request matches ${shorten(account)}`;
  return { message, fix: "write the 12 digits of the account" };
}

/** A type that AWS IoT does not have, but one like it. */
function typeFault(segments: readonly string[]): Fault | undefined {
  const resource = segments.slice(5).join(":");
  const written = /^[^/:*?$]+(?=[/:])/.exec(resource)?.[0];
  const meant = written === undefined ? undefined : nearestName(written, types);
  if (written === undefined || meant === undefined) return undefined;
  const mended = [...segments.slice(0, 5), `${meant}/${resource.slice(written.length + 1)}`].join(":");
  return { message: `AWS IoT has no resource ${shorten(written)}/...`, fix: `write ${mended}` };
}

function serviceFault(segments: readonly string[]): Fault | undefined {
  const [, , service = ""] = segments;
  if (segments.length < 4 || service === "" || service === "iot" || /[*?]/.test(service)) return undefined;
  const message = `the third part of the ARN is ${shorten(service)} and not iot, so no request of AWS IoT matches`;
  return { message, fix: "write iot there" };
}

/** Fewer than six segments: one that ends with `*` runs over the others, or the missing ones stand for `*`. */
function lintShortArn(run: LintRun, policy: ParsedPolicy, value: ElementValue): void {
  const segments = value.text.split(":");
  const open = segments.slice(0, -1).findIndex((segment) => segment.endsWith("*"));
  if (open === -1) {
    const message = `the ARN lacks ${6 - segments.length} of its six parts, which then stand for anything`;
    run.report("incomplete-arn", policy, value.at, message, "write the whole ARN");
    return;
  }
  const message = `the * that ends part ${open + 1} of the ARN runs across colons, so this matches in every region and account`;
  const fix = `write arn:aws:iot:*:*:${segments.at(-1) ?? ""} if that is meant, or the region and the account`;
  run.report("wildcard-across-segments", policy, value.at, message, fix);
}
