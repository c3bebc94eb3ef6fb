import { Broker, type Transport } from "@latchkey/broker-core";
import { pino } from "pino";
import { expect, test } from "vitest";
import type { Peer } from "../../src/authorization/peer.ts";
import { PolicyAuthorizer, type Principal } from "../../src/authorization/policy-authorizer.ts";
import { refreshPrincipals } from "../../src/authorization/principal-refresh.ts";
import { registeredDevice } from "./registered-device.ts";

test("a connection ends when its certificate expires, without any change of the registry", async () => {
  let nowSeconds = 1_795_700_000;
  const arn = "arn:aws:iot:us-east-1:000000000000:client/button";
  const document = { Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: "iot:Connect", Resource: arn }] };
  const device = await registeredDevice({
    nowSeconds: () => nowSeconds,
    policyDocument: JSON.stringify(document),
    notAfterSeconds: nowSeconds + 60,
  });
  await using registry = device.registry;
  const { storage, principal } = device;

  const table = registry.connectionRights();
  const authorizer = new PolicyAuthorizer(table);
  const connected = Promise.withResolvers<void>();
  const closed = Promise.withResolvers<string>();
  const broker = new Broker<Peer, Principal>({
    authenticator: authorizer,
    authorizer,
    assignClientIdentifier: () => "assigned",
    onEvent: (event) => {
      if (event.type === "connected") connected.resolve();
      if (event.type === "closed") closed.resolve(`${event.reason}: ${event.detail}`);
    },
  });
  using _ = refreshPrincipals(storage, table, broker, pino({ level: "silent" }));
  const transport: Transport = {
    write: () => {},
    close: () => {},
    pause: () => {},
    resume: () => {},
    bufferedOctets: 0,
  };
  const peer: Peer = {
    kind: "device",
    principal,
    sourceIp: "127.0.0.1",
    serverName: undefined,
    remote: "127.0.0.1:1",
    ends: { sourcePort: 1, targetIp: "127.0.0.1", targetPort: 8883 },
  };
  const client = broker.accept(peer, transport, 0);
  // CONNECT of MQTT 3.1.1: clean session, no keep alive.
  client.receive(Buffer.from("\u0010\u0012\0\u0004MQTT\u0004\u0002\0\0\0\u0006button", "latin1"), 0);
  await connected.promise;
  nowSeconds = principal.validUntil + 1;
  expect(await closed.promise).toMatch(/^administrative: certificate .* has expired/);
  expect(table.size).toBe(0);
});
