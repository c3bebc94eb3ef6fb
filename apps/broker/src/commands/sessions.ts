/** `latchkey sessions ...` and `latchkey retained ...`: what a running broker holds. */

import { defineCommand } from "citty";
import { UsageError } from "@latchkey/command-line";
import { allOf, textIn } from "./answers.ts";
import type { ApiAnswer } from "./api-client.ts";
import { apiOptions, jsonOption, withLiveApi } from "./api-options.ts";
import { dateOf, printDone, printJson, printTable } from "./table.ts";

const sessionsList = defineCommand({
  meta: { name: "list", description: "List sessions, connected or not" },
  args: { ...apiOptions, json: jsonOption },
  run: ({ args }) =>
    withLiveApi(args, async (api) => {
      const rows: ApiAnswer[] = [];
      for await (const one of allOf(api, "ListSessions", "sessions")) rows.push(one);
      if (args.json === true) printJson(rows);
      else {
        printTable(
          rows,
          [
            ["CLIENT", (row) => textIn(row, "clientId")],
            ["CONNECTED", (row) => (row["connected"] === true ? "yes" : "no")],
            ["SUBSCRIPTIONS", (row) => textIn(row, "subscriptions")],
            ["QUEUED", (row) => textIn(row, "queuedMessages")],
          ],
          "there are no sessions",
        );
      }
    }),
});

const sessionsEnd = defineCommand({
  meta: { name: "end", description: "End a client's connection" },
  args: {
    ...apiOptions,
    "client-id": { type: "string", required: true, description: "The client identifier" },
    clean: { type: "boolean", description: "End its session, too: subscriptions and queued messages are lost" },
    "without-will": { type: "boolean", description: "Do not publish its will" },
    json: jsonOption,
  },
  run: ({ args }) =>
    withLiveApi(args, async (api) => {
      const clientId = args["client-id"];
      await api.call("DeleteConnection", {
        clientId,
        cleanSession: args.clean === true,
        preventWillMessage: args["without-will"] === true,
      });
      printDone(args.json, `ended ${clientId}`, { clientId });
    }),
});

/** The command. */
export const sessionsCommand = defineCommand({
  meta: { name: "sessions", description: "Sessions of a running broker" },
  subCommands: { list: sessionsList, end: sessionsEnd },
});

const retainedList = defineCommand({
  meta: { name: "list", description: "List retained messages" },
  args: { ...apiOptions, json: jsonOption },
  run: ({ args }) =>
    withLiveApi(args, async (api) => {
      const rows: ApiAnswer[] = [];
      for await (const one of allOf(api, "ListRetainedMessages", "retainedTopics")) rows.push(one);
      if (args.json === true) printJson(rows);
      else {
        printTable(
          rows,
          [
            ["TOPIC", (row) => textIn(row, "topic")],
            ["OCTETS", (row) => textIn(row, "payloadSize")],
            ["QOS", (row) => textIn(row, "qos")],
            ["SINCE", (row) => dateOf(Number(row["lastModifiedTime"]) / 1000)],
          ],
          "there are no retained messages",
        );
      }
    }),
});

const retainedDelete = defineCommand({
  meta: { name: "delete", description: "Delete the retained message of a topic" },
  args: { ...apiOptions, topic: { type: "string", required: true, description: "The topic" }, json: jsonOption },
  run: ({ args }) =>
    withLiveApi(args, async (api) => {
      const { topic } = args;
      if (topic.startsWith("$")) throw new UsageError("--topic begins with $: such topics are the broker's own");
      await api.call("GetRetainedMessage", { topic });
      // An empty retained message deletes, as over MQTT.
      await api.call("Publish", { topic, retain: true });
      printDone(args.json, `deleted the retained message of ${topic}`, { topic });
    }),
});

/** The command. */
export const retainedCommand = defineCommand({
  meta: { name: "retained", description: "Retained messages of a running broker" },
  subCommands: { list: retainedList, delete: retainedDelete },
});
