export { describeMachine, differences, machineText, type Machine } from "./machine.ts";
export { type MicroFile, type MicroResult, type Samples } from "./micro-file.ts";
export { revisionOf } from "./revision.ts";
export { type Interval, intervalOfMedian, median, quantile } from "./statistics.ts";
export { installedVersion } from "./version.ts";
export { watchOutput } from "./standard-output.ts";
export { checkResultFile, WriteError, writeResultFile, writeWholeFile } from "./write-file.ts";
