/**
 * Tolerances: slips of makers of certificates, requests, revocation lists and keys that can be read in one way only.
 *
 * Strict reading is the default: every row is refused. A caller allows a row, or allows it and is warned. No row changes
 * what a signature is over, and none makes two different names or numbers equal.
 */

/** The name of a tolerance: a row of `tolerances`. */
export type ToleranceCode =
  | "nameString"
  | "booleanTrue"
  | "defaultWrittenOut"
  | "nullParameters"
  | "emptySubject"
  | "emptyRevokedCertificates"
  | "missingAttributes"
  | "emptyExtensionRequest"
  | "pathLengthOverLimit"
  | "scalarLength"
  | "explicitPublicKey"
  | "defaultPrfWrittenOut";

/** What to do with a slip: read on, read on and report it as a warning, or refuse the input. */
export type ToleranceAction = "allow" | "warn" | "refuse";

/** What to do with each slip. Those that are not named are refused. */
export type Tolerances = { readonly [Code in ToleranceCode]?: ToleranceAction | undefined };

/** One row of the table. */
export interface Tolerance {
  readonly code: ToleranceCode;
  /** The slip, in words. */
  readonly what: string;
  /** Makers whose certificates or keys have the slip. */
  readonly madeBy: string;
  /** The rule that it breaks. */
  readonly rule: string;
  /** Why reading it does no harm. */
  readonly harmless: string;
}

/** Every tolerance. */
export const tolerances: readonly Tolerance[] = [
  {
    code: "nameString",
    what: "characters in a name that its string type does not have, such as _ * @ & in a PrintableString",
    madeBy: "Microchip ATECC608 Trust&GO certificates (eui48_... in a directoryName); authorities named like A & B",
    rule: "RFC 5280 §4.1.2.4, X.680 §41.4",
    harmless: "such a value matches only the same octets under the same string type",
  },
  {
    code: "booleanTrue",
    what: "a BOOLEAN TRUE that is 0x01, or another octet than 0xff",
    madeBy: "older versions of mbedTLS",
    rule: "X.690 §11.1",
    harmless: "in BER every octet but 0x00 is TRUE",
  },
  {
    code: "defaultWrittenOut",
    what: "a FALSE that is the default, written out: in critical, and in issuingDistributionPoint; minimum 0 in a subtree",
    madeBy: "embedded certificate generators and older Java libraries",
    rule: "X.690 §11.5",
    harmless: "it says what leaving it out says",
  },
  {
    code: "nullParameters",
    what: "NULL as the parameters of an ECDSA or Ed25519 signature algorithm",
    madeBy: "older versions of mbedTLS, wolfSSL, Android",
    rule: "RFC 5758 §3.2, RFC 8410 §3",
    harmless: "NULL carries nothing; inside and outside of what is signed still have to be the same octets",
  },
  {
    code: "emptySubject",
    what: "an empty subject beside a subjectAltName that is not critical",
    madeBy: "makers of server certificates who follow the alternative names only",
    rule: "RFC 5280 §4.1.2.6",
    harmless: "the subjectAltName is always read here",
  },
  {
    code: "emptyRevokedCertificates",
    what: "a revocation list with an empty list of entries",
    madeBy: "authorities of Entrust and Siemens",
    rule: "RFC 5280 §5.1.2.6",
    harmless: "it says what leaving it out says: nothing is revoked",
  },
  {
    code: "missingAttributes",
    what: "a request without its attributes, which may be empty but not left out",
    madeBy: "small request generators in devices",
    rule: "RFC 2986 §4.1",
    harmless: "it asks for nothing",
  },
  {
    code: "emptyExtensionRequest",
    what: "a request whose extensionRequest has no value, or no extension in it",
    madeBy: "request generators that are given no extensions",
    rule: "RFC 2985 §5.4.2, RFC 2986 §4.1",
    harmless: "it asks for nothing",
  },
  {
    code: "pathLengthOverLimit",
    what: "a pathLenConstraint, or another count of certificates, over 255",
    madeBy: "authorities that want no limit and write a great number",
    rule: "none of RFC 5280: a limit of this package, as of BoringSSL and webpki",
    harmless: "paths are far shorter, so the number limits nothing",
  },
  {
    code: "scalarLength",
    what: "an EC private scalar with leading zero octets too many or too few, in SEC 1 or PKCS #8",
    madeBy: "Java and .NET libraries, older OpenSSL",
    rule: "RFC 5915 §3",
    harmless: "leading zeros do not change a number",
  },
  {
    code: "explicitPublicKey",
    what: "a PKCS #8 key whose public key has an explicit tag, or stands in a version 1 file",
    madeBy: "ring, for Ed25519 keys",
    rule: "RFC 5958 §2",
    harmless: "the public key has to belong to the private key",
  },
  {
    code: "defaultPrfWrittenOut",
    what: "PBKDF2 with its default, HMAC with SHA-1, written out",
    madeBy: "Java and Go libraries",
    rule: "X.690 §11.5, RFC 8018 §A.2",
    harmless: "it says what leaving it out says",
  },
];

/** Settings with one action for every tolerance. */
export function everyTolerance(action: ToleranceAction): Tolerances {
  return Object.fromEntries(tolerances.map(({ code }) => [code, action]));
}

/** A slip that was read on over. */
export interface Deviation {
  /** The tolerance that allowed it. */
  readonly tolerance: ToleranceCode;
  readonly action: "allow" | "warn";
  /** Where the first such slip is in the input. */
  readonly offset: number;
  /** How many of them there are. */
  readonly count: number;
}

/** How input is read where it breaks a rule. */
export interface ToleranceOptions {
  /** What to do with each slip. Default: every one is refused. */
  readonly tolerances?: Tolerances | undefined;
}

/** Asked about each slip by its name and offset: true reads on. */
export type Tolerate = (name: string, offset: number) => boolean;

/** No slip at all. */
export const noDeviations: readonly Deviation[] = [];

/** Notes the slips that are tolerated while something is read. */
export interface DeviationLog {
  readonly tolerate: Tolerate;
  /** Grows while reading goes on: at most one row for each tolerance. */
  readonly deviations: readonly Deviation[];
}

/** A log that follows the settings. */
export function makeDeviationLog(settings: Tolerances): DeviationLog {
  const deviations: { -readonly [Field in keyof Deviation]: Deviation[Field] }[] = [];
  const tolerate = (name: string, offset: number): boolean => {
    const code = tolerances.find((row) => row.code === name)?.code;
    const action = code === undefined ? undefined : settings[code];
    if (code === undefined || action === undefined || action === "refuse") return false;
    const known = deviations.find(({ tolerance }) => tolerance === code);
    if (known === undefined) deviations.push({ tolerance: code, action, offset, count: 1 });
    else known.count++;
    return true;
  };
  return { tolerate, deviations };
}

/** Refuses every slip. */
export function tolerateNothing(): boolean {
  return false;
}

/** Reads on over every slip that has a name. */
export function tolerateAll(): boolean {
  return true;
}

/**
 * The settings as the function that `verifySignedData`, `importPkcs8` and `importSec1` of `@latchkey/crypto` take. Where a
 * slip is set to `warn`, `onWarning` is called with its name.
 */
export function toleratesBy(settings: Tolerances, onWarning?: (deviation: Deviation) => void): Tolerate {
  return (name, offset) => {
    const log = makeDeviationLog(settings);
    const isTolerated = log.tolerate(name, offset);
    for (const deviation of log.deviations) if (deviation.action === "warn") onWarning?.(deviation);
    return isTolerated;
  };
}
