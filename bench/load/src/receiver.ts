/** What a subscriber does with a message: read its stamp, note its arrival, record its latency. */

import type { PublishPacket } from "@latchkey/mqtt-codec";
import { nowMs } from "./clock.ts";
import { sharedGroup } from "./ledger.ts";
import { readStamp, type Stamp } from "./stamp.ts";
import type { WorkerContext } from "./worker-context.ts";

/**
 * Makes the receiver of a subscriber. Of each group a message is owed to one receiver: a subscriber's device is a group of its own,
 * the members of a shared subscription are one. `latencyFromMs`, where it is given, is when the latency counts from instead of from
 * when the message was due; it is asked at each message.
 */
export function makeReceiver(
  context: WorkerContext,
  device: number,
  latencyFromMs?: () => number,
): (packet: PublishPacket) => void {
  const { meter, task, receivedByDevice } = context;
  const { ledger } = meter;
  const { closed, scenario } = task.settings;
  const group = scenario === "shared" ? sharedGroup : device;
  const stamp: Stamp = { dueMs: 0, device: 0, sequence: 0 };
  return (packet) => {
    if (!readStamp(packet.payload, task.runNumber, stamp)) {
      ledger.unexpected++;
      return;
    }
    const dueMs = latencyFromMs?.() ?? stamp.dueMs;
    const arrival = ledger.arrive(group, stamp.device, stamp.sequence);
    if (arrival === "strange") ledger.unexpected++;
    else if (!meter.isMeasured(dueMs)) ledger.outsideWindow++;
    else if (arrival === "again") ledger.repeated++;
    if (arrival !== "first") return;
    if (closed) Atomics.add(receivedByDevice, stamp.device, 1);
    meter.arrive(dueMs, nowMs());
  };
}
