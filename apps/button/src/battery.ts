/**
 * The battery: about 1,000 presses, as users of the device report. The voltage is that of a lithium cell under the radio's load: it
 * falls slowly, and fast before the end.
 */

/** What is left in a battery. */
export interface Battery {
  /** How many presses a new battery lasts for. */
  readonly capacityPresses: number;
  /** Presses so far. */
  readonly presses: number;
}

/** A new battery. */
export const newBattery: Battery = { capacityPresses: 1000, presses: 0 };

const freshMillivolts = 1740;
const kneeMillivolts = 1480;
const emptyMillivolts = 1000;
/** Where the voltage begins to fall fast. */
const knee = 0.9;

/** Whether the battery is too empty for a press. */
export function isEmpty({ presses, capacityPresses }: Battery): boolean {
  return presses >= capacityPresses;
}

/** The voltage under load, in whole millivolts. */
export function batteryMillivolts({ presses, capacityPresses }: Battery): number {
  const used = capacityPresses <= 0 ? 1 : Math.min(1, presses / capacityPresses);
  const volts =
    used < knee
      ? freshMillivolts - (freshMillivolts - kneeMillivolts) * (used / knee)
      : kneeMillivolts - (kneeMillivolts - emptyMillivolts) * ((used - knee) / (1 - knee));
  return Math.round(volts);
}
