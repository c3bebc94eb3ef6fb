/**
 * Slips of makers that can be read in one way only. Each has a name; a reader asks its caller about it, and refuses it
 * where the caller says nothing.
 */

/**
 * The tolerances of this package:
 *
 * - `nullParameters`: NULL in an AlgorithmIdentifier of ECDSA or Ed25519, whose parameters must be absent.
 * - `scalarLength`: an EC private scalar with leading zero octets too many or too few.
 * - `explicitPublicKey`: a PKCS #8 file whose public key has an explicit tag, or stands in a version that has none.
 */
export type CryptoTolerance = "nullParameters" | "scalarLength" | "explicitPublicKey";

/** Asked about each slip by its name and offset: true reads on. */
export type Tolerate = (name: string, offset: number) => boolean;

/** How keys and AlgorithmIdentifiers are read. */
export interface ToleranceOptions {
  /** Asked about each slip that has a name in `CryptoTolerance` or `DerTolerance`. Default: nothing is tolerated. */
  readonly tolerate?: Tolerate | undefined;
}
