/**
 * The numbered statements of MQTT 3.1.1 and 5.0 (Appendix B of each), by number alone, and those that no test of ours names,
 * with the reason. The texts are in the standards.
 */

/** One version of MQTT. */
export interface NormativeStatements {
  /** What the files begin with whose tests name its statements. */
  readonly files: string;
  /** Sections, with the numbers of their statements: the last one where they are 1 to it. */
  readonly sections: Readonly<Record<string, number | readonly number[]>>;
  /** Numbers that the standard prints in another form. */
  readonly misprinted: readonly string[];
  /** Statements that no test can hold the broker to, or that do not concern it. */
  readonly withoutTest: Readonly<Record<string, string>>;
}

const clientAcknowledges = "the client's duty; the broker sees only that its own queue waits";
const overTcp = "every test of these runs over TCP, which is such a transport";
const alwaysRetains = "the broker retains messages in every configuration";
const bothAtOnce = "the broker makes no connections of its own; a bridge is the other broker's client";

export const mqtt311: NormativeStatements = {
  files: "mqtt311-",
  sections: {
    "1.5.3": 3,
    "2.2.2": 2,
    "2.3.1": 7,
    "3.1.0": 2,
    "3.1.2": [1, 2, 3, 4, 5, 6, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24],
    "3.1.3": 11,
    "3.1.4": 5,
    "3.2.0": 1,
    "3.2.2": 6,
    "3.3.1": 12,
    "3.3.2": 3,
    "3.3.4": 1,
    "3.3.5": 2,
    "3.6.1": 1,
    "3.8.1": 1,
    "3.8.3": 3,
    "3.8.4": 6,
    "3.9.3": 2,
    "3.10.1": 1,
    "3.10.3": 2,
    "3.10.4": 6,
    "3.12.4": 1,
    "3.14.1": 1,
    "3.14.4": 3,
    "4.1.0": 2,
    "4.3.1": 1,
    "4.3.2": 2,
    "4.3.3": 2,
    "4.4.0": 1,
    "4.5.0": 2,
    "4.6.0": 6,
    "4.7.1": 3,
    "4.7.2": 1,
    "4.7.3": 4,
    "4.8.0": 2,
    "6.0.0": 4,
    "7.0.0": 2,
    "7.1.1": 1,
    "7.1.2": 1,
  },
  misprinted: ["MQTT-3.1.2.7", "MQTT-3-8.3-4"],
  withoutTest: {
    "MQTT-4.5.0-2": clientAcknowledges,
    "MQTT-7.0.0-1": bothAtOnce,
    "MQTT-7.1.1-1": overTcp,
    "MQTT-7.1.2-1": "the client's duty",
  },
};

export const mqtt5: NormativeStatements = {
  files: "mqtt5-",
  sections: {
    "1.5.4": 3,
    "1.5.5": 1,
    "1.5.7": 1,
    "2.1.3": 1,
    "2.2.1": [2, 3, 4, 5, 6],
    "2.2.2": 1,
    "3.1.0": 2,
    "3.1.2": 30,
    "3.1.3": 12,
    "3.1.4": 6,
    "3.2.0": 2,
    "3.2.2": 22,
    "3.3.1": 13,
    "3.3.2": 20,
    "3.3.4": 10,
    "3.4.2": 3,
    "3.5.2": 3,
    "3.6.1": 1,
    "3.6.2": 3,
    "3.7.2": 3,
    "3.8.1": 1,
    "3.8.3": 5,
    "3.8.4": 8,
    "3.9.2": 2,
    "3.9.3": 2,
    "3.10.1": 1,
    "3.10.3": 2,
    "3.10.4": 6,
    "3.11.2": 2,
    "3.11.3": 2,
    "3.12.4": 1,
    "3.14.0": 1,
    "3.14.1": 1,
    "3.14.2": 4,
    "3.14.4": 3,
    "3.15.1": 1,
    "3.15.2": 3,
    "4.1.0": 2,
    "4.2.0": 1,
    "4.3.1": 1,
    "4.3.2": 5,
    "4.3.3": 13,
    "4.4.0": 2,
    "4.5.0": 2,
    "4.6.0": 6,
    "4.7.0": 1,
    "4.7.1": 2,
    "4.7.2": 1,
    "4.7.3": 4,
    "4.8.2": 6,
    "4.9.0": 3,
    "4.12.0": 7,
    "4.12.1": 2,
    "4.13.1": 1,
    "4.13.2": 1,
    "6.0.0": 4,
  },
  misprinted: [],
  withoutTest: {
    "MQTT-3.2.2-4": "the client's duty, when CONNACK and its own session disagree",
    "MQTT-3.2.2-5": "the client's duty, when CONNACK and its own session disagree",
    "MQTT-3.2.2-13": alwaysRetains,
    "MQTT-3.2.2-14": alwaysRetains,
    "MQTT-4.2.0-1": overTcp,
    "MQTT-4.5.0-2": clientAcknowledges,
  },
};

/** All numbers of a version. */
export function numbersOf({ sections, misprinted }: NormativeStatements): string[] {
  const regular = Object.entries(sections).flatMap(([section, numbers]) =>
    (typeof numbers === "number" ? Array.from({ length: numbers }, (_, index) => index + 1) : numbers).map(
      (number) => `MQTT-${section}-${number}`,
    ),
  );
  return [...regular, ...misprinted];
}
