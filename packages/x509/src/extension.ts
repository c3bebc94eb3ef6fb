/** Extensions (RFC 5280 §4.2) as a list, and the one way by which a value of any type is found, read and written. */

import { decodeOid, DerReader, type DerWriter, encodeDer, equalBytes } from "@latchkey/asn1";
import { asX509Error, refuseEmpty, X509Error } from "./errors.ts";
import { oidKey } from "./oid-key.ts";
import { type Tolerate, tolerateAll } from "./tolerance.ts";

/** One extension as it stands in what was read. */
export interface Extension {
  /** Content octets of the object identifier, a view. */
  readonly oid: Uint8Array;
  readonly critical: boolean;
  /** What the OCTET STRING holds, a view: the DER of the extension's own type. */
  readonly value: Uint8Array;
  /** Where `value` starts in the input. */
  readonly valueOffset: number;
  /**
   * Whether its value is decoded with every tolerance. It is so in what was read with tolerances, because the value was
   * checked then, and after `checkContents: false`. Default: false, the value is decoded strictly.
   */
  readonly isTolerant?: boolean;
}

/** What has extensions: a certificate, a request, a revocation list or an entry of one. */
export interface Extensible {
  readonly extensions: readonly Extension[];
}

/** How values of one extension are read. */
export interface ExtensionReader<Value> {
  readonly name: string;
  /** Content octets of the object identifier. */
  readonly oid: Uint8Array;
  /** Reads the value; the caller checks that nothing follows it. */
  readonly read: (reader: DerReader) => Value;
}

/** How values of one extension are read and written. */
export interface ExtensionType<Value> extends ExtensionReader<Value> {
  readonly write: (writer: DerWriter, value: Value) => void;
}

/** The extension with this identifier. There is at most one, for duplicates are refused. */
export function findExtension(of: Extensible, oid: Uint8Array): Extension | undefined {
  for (const extension of of.extensions) if (equalBytes(extension.oid, oid)) return extension;
  return undefined;
}

/**
 * The value of an extension, decoded now; undefined where there is no such extension.
 *
 * What is made of bytes in it are views. Throws `ERR_X509_MALFORMED`, `ERR_X509_EXTENSION_VALUE`,
 * `ERR_X509_EMPTY_LIST`, `ERR_X509_GENERAL_NAME` or `ERR_X509_NAME_STRING` where it is not what its type says; a
 * parsed certificate's known extensions were checked when it was parsed.
 */
export function extensionValue<Value>(of: Extensible, type: ExtensionReader<Value>): Value | undefined {
  const extension = findExtension(of, type.oid);
  return extension === undefined ? undefined : decodeExtension(extension, type);
}

/**
 * The value of an extension that is known to be of the type. Throws as `extensionValue`. `tolerate` is asked about slips
 * that have a name in `tolerances`; by default it follows how the extension was read.
 */
export function decodeExtension<Value>(
  extension: Extension,
  type: ExtensionReader<Value>,
  tolerate: Tolerate | undefined = extension.isTolerant === true ? tolerateAll : undefined,
): Value {
  // No closure here: every extension of every certificate comes through.
  try {
    const reader = new DerReader(extension.value, { baseOffset: extension.valueOffset, tolerate });
    const value = type.read(reader);
    reader.end();
    return value;
  } catch (error) {
    throw asX509Error(type.name, error);
  }
}

/** An extension of a value, to issue with. */
export function makeExtension<Value>(type: ExtensionType<Value>, value: Value, critical = false): Extension {
  const encoded = encodeDer((writer) => type.write(writer, value));
  return { oid: type.oid, critical, value: encoded, valueOffset: 0, isTolerant: false };
}

/** Real certificates have up to about 15. */
const maximumExtensions = 256;
/** So many are searched for duplicates one by one; with more of them a set is faster. */
const searchedOneByOne = 16;

/** Extensions: at least one, none twice, `maximumExtensions` at most. */
export function readExtensions(reader: DerReader, isTolerant = false): Extension[] {
  const outerEnd = reader.enter();
  refuseEmpty(reader.isAtEnd, "Extensions", reader.offset);
  const extensions: Extension[] = [];
  let seen: Set<string> | undefined;
  while (!reader.isAtEnd) {
    const { offset } = reader;
    const extension = readExtension(reader, isTolerant);
    if (extensions.length === searchedOneByOne) seen = new Set(extensions.map(({ oid }) => oidKey(oid)));
    // §4.2: a certificate MUST NOT include more than one instance of an extension.
    const isDuplicate =
      seen === undefined
        ? findExtension({ extensions }, extension.oid) !== undefined
        : seen.size === seen.add(oidKey(extension.oid)).size;
    if (isDuplicate) {
      const oid = decodeOid(extension.oid);
      throw new X509Error("ERR_X509_DUPLICATE_EXTENSION", `the extension ${oid} stands twice; it may stand once`, {
        extension: oid,
        offset,
        clause: "RFC 5280 §4.2",
      });
    }
    if (extensions.length === maximumExtensions) {
      throw new X509Error("ERR_X509_LIMIT", `more than the ${maximumExtensions} extensions allowed`, {
        what: "extensions",
        found: undefined,
        limit: maximumExtensions,
        offset,
      });
    }
    extensions.push(extension);
  }
  reader.leave(outerEnd);
  return extensions;
}

function readExtension(reader: DerReader, isTolerant: boolean): Extension {
  const outerEnd = reader.enter();
  const oid = reader.oid();
  const critical = reader.booleanDefaultFalse();
  const value = reader.octetString();
  const valueOffset = reader.offset - value.length;
  reader.leave(outerEnd);
  return { oid, critical, value, valueOffset, isTolerant };
}

/** Writes Extensions. */
export function writeExtensions(writer: DerWriter, extensions: readonly Extension[]): void {
  writer.sequence((list) => {
    for (const { oid, critical, value } of extensions) {
      list.sequence((fields) => {
        fields.oid(oid);
        fields.booleanDefaultFalse(critical);
        fields.octetString(value);
      });
    }
  });
}
