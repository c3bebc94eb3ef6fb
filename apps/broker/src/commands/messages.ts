/** `latchkey publish` and `latchkey subscribe`: what a device with this folder would send and get. */

import { readFile } from "node:fs/promises";
import { defineCommand } from "citty";
import { messageOf, UsageError } from "@latchkey/command-line";
import { jsonOption } from "./api-options.ts";
import { print, remark, whenUnwanted } from "./data-option.ts";
import { DeviceClient } from "./device-client.ts";
import { printDone } from "./table.ts";
import { wholeNumber } from "../configuration/option-values.ts";

const device = {
  type: "string",
  required: true,
  description: "A device's folder: certificate.pem, private.key and root-ca.pem",
} as const;
const url = { type: "string", default: "mqtts://127.0.0.1:8883", description: "The broker" } as const;
const clientId = {
  type: "string",
  default: "latchkey",
  description: "The client identifier; policies decide about it",
} as const;

/** `publish`. */
export const publishCommand = defineCommand({
  meta: { name: "publish", description: "Publish a message as a device" },
  args: {
    device,
    url,
    "client-id": clientId,
    topic: { type: "string", required: true, description: "The topic" },
    message: { type: "string", description: "The payload as text" },
    file: { type: "string", description: "The payload as a file" },
    retain: { type: "boolean", description: "The broker keeps it for those who subscribe later" },
    json: jsonOption,
  },
  async run({ args }) {
    const payload = await payloadOf(args);
    const client = await DeviceClient.connect({
      folder: args.device,
      url: args.url,
      clientIdentifier: args["client-id"],
    });
    try {
      await client.publish(args.topic, payload, args.retain === true);
      const sentence = `published ${payload.length} octets on ${args.topic}`;
      printDone(args.json, sentence, { topic: args.topic, payloadSize: payload.length });
    } finally {
      await client[Symbol.asyncDispose]();
    }
  },
});

/** `subscribe`. Runs until it is interrupted, nobody reads what it prints, or `--count` messages have come. */
export const subscribeCommand = defineCommand({
  meta: { name: "subscribe", description: "Print messages as a device gets them" },
  args: {
    device,
    url,
    "client-id": clientId,
    topic: { type: "string", required: true, description: "A topic filter, for instance orders/#" },
    count: { type: "string", description: "End after so many messages" },
    json: { type: "boolean", description: "A JSON object a line: topic, payload in base64, qos, retain" },
  },
  async run({ args }) {
    const most = args.count === undefined ? Infinity : wholeNumber("count", args.count, 1, 1_000_000_000);
    const client = await DeviceClient.connect({
      folder: args.device,
      url: args.url,
      clientIdentifier: args["client-id"],
    });
    whenUnwanted(() => void client[Symbol.asyncDispose]());
    try {
      await client.subscribe(args.topic);
      remark(`subscribed to ${args.topic}`);
      let count = 0;
      for await (const { topicName, payload, qos, retain } of client.messages()) {
        if (args.json === true) {
          print(JSON.stringify({ topic: topicName, payload: Buffer.from(payload).toString("base64"), qos, retain }));
        } else print(`${topicName} ${Buffer.from(payload).toString("utf8")}`);
        if (++count >= most) break;
      }
    } finally {
      await client[Symbol.asyncDispose]();
    }
  },
});

async function payloadOf(args: {
  readonly message?: string | undefined;
  readonly file?: string | undefined;
}): Promise<Uint8Array> {
  if ((args.message === undefined) === (args.file === undefined)) {
    throw new UsageError("give --message or --file, and one of the two");
  }
  if (args.file === undefined) return Buffer.from(args.message ?? "", "utf8");
  try {
    return await readFile(args.file);
  } catch (cause) {
    throw new UsageError(`--file cannot be read: ${messageOf(cause)}`, { cause });
  }
}
