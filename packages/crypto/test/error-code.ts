import { CryptoError, type CryptoErrorCode } from "../src/index.ts";

/** Runs `act`, which must throw a CryptoError, and returns its code. */
export function codeOf(act: () => unknown): CryptoErrorCode {
  try {
    act();
  } catch (error) {
    if (error instanceof CryptoError) return error.code;
    throw error;
  }
  throw new Error("nothing was thrown");
}
