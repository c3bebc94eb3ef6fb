/** How our commands read their words, refuse wrong ones and print. */

export { nearest, oneOf } from "./choice.ts";
export { completionCommand } from "./completion.ts";
export { listenersFile, readDevicePorts, type DevicePorts } from "./device-ports.ts";
export { messageOf, stackOf, UsageError } from "./errors.ts";
export { runCommandLine, type CommandLineOptions } from "./run-command-line.ts";
export { brokerLockFile, isBrokerRunning } from "./running-broker.ts";
export { terminalOf, widthOf, wrapText, type Terminal, type Tone } from "./terminal.ts";
