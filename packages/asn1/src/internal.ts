/** What `@latchkey/crypto` and `@latchkey/x509` use of this package besides its public names. It may change at any time. */

export {
  type CodedError,
  codedErrorClass,
  type CodedErrorConstructor,
  type CodedErrorOf,
  type ErrorPlace,
} from "./coded-error.ts";
export { tagName } from "./tag.ts";
export { stringFault, type StringFault } from "./text.ts";
