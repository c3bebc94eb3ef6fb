/** What a subscriber does with a message: read its stamp, record its latency, see a repetition. */

import type { PublishPacket } from "@latchkey/mqtt-codec";
import { nowMs } from "./clock.ts";
import { readStamp, type Stamp } from "./stamp.ts";
import type { WorkerContext } from "./worker-context.ts";

/**
 * Makes the receiver of one subscriber. `latencyFromMs`, where it is given, is when the latency counts from instead of from
 * when the message was due; it is asked at each message.
 */
export function makeReceiver(context: WorkerContext, latencyFromMs?: () => number): (packet: PublishPacket) => void {
  const { meter, task, receivedByDevice } = context;
  const { closed } = task.settings;
  const stamp: Stamp = { dueMs: 0, device: 0, sequence: 0 };
  /** The next number expected of each publisher: a lower one is a repetition, since a publisher's messages keep their order. */
  const expected = new Map<string | number, number>();
  return (packet) => {
    if (!readStamp(packet.payload, task.runNumber, stamp)) return;
    if (packet.qos > 0) {
      if (packet.dup && stamp.sequence < (expected.get(stamp.device) ?? 0)) {
        meter.duplicates++;
        return;
      }
      expected.set(stamp.device, Math.max(stamp.sequence + 1, expected.get(stamp.device) ?? 0));
    }
    if (closed) Atomics.add(receivedByDevice, stamp.device, 1);
    meter.arrive(latencyFromMs?.() ?? stamp.dueMs, nowMs());
  };
}
