/** The forms of names, as AWS IoT's API states them. None has a slash, which separates the parts of storage keys. */

import { invalid } from "./errors.ts";

/** A policy's name: 1 to 128 of `\w+=,.@-`. */
export function checkPolicyName(name: string): void {
  check("policyName", name, /^[\w+=,.@-]{1,128}$/, "1 to 128 letters, digits and _ + = , . @ -");
}

const thingNames = /^[a-zA-Z0-9:_-]{1,128}$/;

/** Whether a thing could have this name. */
export function isThingName(name: string): boolean {
  return thingNames.test(name);
}

/** A thing's name: 1 to 128 of `a-zA-Z0-9:_-`. */
export function checkThingName(name: string): void {
  check("thingName", name, thingNames, "1 to 128 letters, digits and : _ -");
}

/** A thing type's name: 1 to 128 of `a-zA-Z0-9:_-`. */
export function checkThingTypeName(name: string): void {
  check("thingTypeName", name, /^[a-zA-Z0-9:_-]{1,128}$/, "1 to 128 letters, digits and : _ -");
}

/** A thing group's name: 1 to 128 of `a-zA-Z0-9:_-`. */
export function checkThingGroupName(name: string): void {
  check("thingGroupName", name, /^[a-zA-Z0-9:_-]{1,128}$/, "1 to 128 letters, digits and : _ -");
}

/** A provisioning template's name: 1 to 36 of `0-9A-Za-z_-`. */
export function checkTemplateName(name: string): void {
  check("templateName", name, /^[0-9A-Za-z_-]{1,36}$/, "1 to 36 letters, digits and _ -");
}

/** A certificateId: 64 hexadecimal digits in lower case. */
export function checkCertificateId(id: string): void {
  check("certificateId", id, /^[0-9a-f]{64}$/, "64 hexadecimal digits in lower case");
}

/** A policy's version: a decimal number. */
export function checkVersionId(id: string): void {
  check("policyVersionId", id, /^[1-9]\d{0,9}$/, "a decimal number");
}

function check(field: string, found: string, form: RegExp, allowed: string): void {
  if (!form.test(found)) throw invalid(field, found, allowed);
}
