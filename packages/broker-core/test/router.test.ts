import { expect, test } from "vitest";
import { Router } from "../src/routing/router.ts";
import type { Subscriber } from "../src/routing/subscriber.ts";

test("a topic may have more groups of shared subscriptions than a call takes as arguments", () => {
  const router = new Router(true, true);
  const session: Subscriber = {
    clientIdentifier: "a",
    subscriptions: new Map(),
    receiver: undefined,
    deliver: () => true,
  };
  const groups = 200_000;
  for (let index = 0; index < groups; index++) {
    const group = `g${index}`;
    const subscription = {
      topicFilter: `$share/${group}/topic`,
      qos: 1,
      noLocal: false,
      retainAsPublished: false,
      retainHandling: 0,
      subscriptionIdentifier: undefined,
    } as const;
    router.subscribe(session, subscription, { filter: "topic", group, hasWildcards: false });
  }
  expect(router.match("topic").groups).toHaveLength(groups);
});
