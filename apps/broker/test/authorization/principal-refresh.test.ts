import { Broker, type Transport } from "@latchkey/broker-core";
import { nodeProvider } from "@latchkey/crypto/node";
import { createMemoryStorage, createRegistry, defaultScope as scope } from "@latchkey/registry";
import {
  certificateAuthority,
  certificatesFromPem,
  issueSelfSignedCertificate,
  makeName,
  validityFrom,
} from "@latchkey/x509";
import { pino } from "pino";
import { expect, test } from "vitest";
import { PolicyAuthorizer, type Peer, type Principal } from "../../src/authorization/policy-authorizer.ts";
import { refreshPrincipals } from "../../src/authorization/principal-refresh.ts";

test("a connection ends when its certificate expires, without any change of the registry", async () => {
  let nowSeconds = 1_795_700_000;
  const { privateKey } = nodeProvider.generateKeyPair({ name: "ec", curve: "P-256" });
  const certificate = issueSelfSignedCertificate({
    provider: nodeProvider,
    privateKey,
    template: certificateAuthority({
      subject: makeName([{ type: "CN", value: "Device CA" }]),
      validity: validityFrom(nowSeconds - 600, 10),
    }),
  });
  const storage = createMemoryStorage();
  await using registry = createRegistry({
    storage,
    provider: nodeProvider,
    nowSeconds: () => nowSeconds,
    issuer: { certificate, privateKey },
  });
  await registry.createAccount(scope);
  await registry.authorities.registerLocal(scope, certificate);
  const { record } = await registry.certificates.createKeysAndCertificate(scope, {
    setAsActive: true,
    keyAlgorithm: "p-256",
    notAfterSeconds: nowSeconds + 60,
  });
  const arn = "arn:aws:iot:us-east-1:000000000000:client/button";
  const document = { Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: "iot:Connect", Resource: arn }] };
  await registry.policies.create(scope, "connect", JSON.stringify(document));
  await registry.policies.attach(scope, "connect", { kind: "cert", certificateId: record.certificateId });
  const result = await registry.resolvePrincipal(
    certificatesFromPem(record.certificatePem).map(({ encoding }) => encoding),
    undefined,
  );
  if (!result.ok) throw new Error(result.reason);

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
  const peer = { principal: result.principal, sourceIp: "127.0.0.1", serverName: undefined, remote: "127.0.0.1:1" };
  const client = broker.accept(peer, transport, 0);
  // CONNECT of MQTT 3.1.1: clean session, no keep alive.
  client.receive(Buffer.from("\u0010\u0012\0\u0004MQTT\u0004\u0002\0\0\0\u0006button", "latin1"), 0);
  await connected.promise;
  nowSeconds = result.principal.validUntil + 1;
  expect(await closed.promise).toMatch(/^administrative: certificate .* has expired/);
  expect(table.size).toBe(0);
});
