/** What the packages beside this one use of it and nobody else should: it changes without notice. */

export {
  type CodedError,
  codedErrorClass,
  type CodedErrorConstructor,
  type CodedErrorOf,
  type ErrorPlace,
} from "./coded-error.ts";
export { tagName } from "./tag.ts";
