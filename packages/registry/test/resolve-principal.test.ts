import { describe, expect, test } from "vitest";
import {
  createMemoryStorage,
  defaultScope as scope,
  Principal,
  type CertificateRegisteredEvent,
  type Storage,
} from "../src/index.ts";
import {
  allow,
  idOf,
  makeAuthority,
  makeDevice,
  makeRequestPem,
  newKey,
  pemOf,
  startSeconds,
  Workshop,
} from "./workshop.ts";

const second = { account: "111111111111", region: "us-east-1" };

describe("a registered certificate", () => {
  test("that is ACTIVE and chains to its authority is a principal", async () => {
    await using workshop = await Workshop.open();
    const { id, der } = await workshop.activeDevice();
    const result = await workshop.registry.resolvePrincipal([der], undefined);
    expect(result).toMatchObject({ ok: true, principal: { certificateId: id, scope } });
    if (!result.ok) return;
    expect(Principal.isPrincipal(result.principal)).toBe(true);
    expect(Principal.isPrincipal(Object.assign({}, result.principal))).toBe(false);
    expect(
      result.principal.chain?.trustAnchor.certificate && idOf(result.principal.chain.trustAnchor.certificate),
    ).toBe(idOf(workshop.local.certificate));
    expect(result.principal.chain?.intermediates).toEqual([]);
  });

  test("below an intermediate has those that prove it in its principal, and no other that was sent", async () => {
    await using workshop = await Workshop.open();
    const root = makeAuthority("root");
    await workshop.registerAuthority(root, { autoRegistration: true });
    const between = makeAuthority("between", { issuer: root });
    const device = makeDevice(between);
    const buffer = new Uint8Array(between.certificate.encoding);
    const sent = [device.encoding, makeAuthority("other").certificate.encoding, buffer];
    expect(await workshop.registry.resolvePrincipal(sent, undefined)).toMatchObject({ ok: false });
    await workshop.registry.certificates.updateStatus(scope, idOf(device), "ACTIVE");
    const result = await workshop.registry.resolvePrincipal(sent, undefined);
    // The handshake's octets may be overwritten.
    buffer.fill(0);
    expect(result.ok && result.principal.chain?.intermediates).toEqual([between.certificate.encoding]);
  });

  test.each(["INACTIVE", "REVOKED"] as const)("that is %s is refused with its status", async (status) => {
    await using workshop = await Workshop.open();
    const { id, der } = await workshop.activeDevice();
    expect((await workshop.registry.resolvePrincipal([der], undefined)).ok).toBe(true);
    await workshop.registry.certificates.updateStatus(scope, id, status);
    expect(await workshop.registry.resolvePrincipal([der], undefined)).toMatchObject({
      ok: false,
      code: "ERR_IDENTITY_NOT_ACTIVE",
      status,
      certificateId: id,
      reason: expect.stringContaining(status),
    });
  });

  test("that has expired since is refused by the chain, before its status is a reason", async () => {
    await using workshop = await Workshop.open();
    const authority = makeAuthority();
    await workshop.registerAuthority(authority);
    const device = makeDevice(authority, { days: 1 });
    await workshop.registry.certificates.register(scope, { certificatePem: pemOf(device), status: "ACTIVE" });
    expect((await workshop.registry.resolvePrincipal([device.encoding], undefined)).ok).toBe(true);
    workshop.nowSeconds += 2 * 86_400;
    const expired = await workshop.registry.resolvePrincipal([device.encoding], undefined);
    expect(expired).toMatchObject({ ok: false, code: "ERR_IDENTITY_CHAIN" });
    expect(expired.ok || expired.code !== "ERR_IDENTITY_CHAIN" ? [] : expired.failures).not.toEqual([]);
  });

  test.each([
    ["refuse", false],
    ["keep", true],
    [undefined, false],
  ] as const)("of an authority that was set INACTIVE (%s)", async (inactiveAuthority, ok) => {
    await using workshop = await Workshop.open({ inactiveAuthority });
    const authority = makeAuthority();
    const caCertificateId = await workshop.registerAuthority(authority);
    const device = makeDevice(authority);
    await workshop.registry.certificates.register(scope, { certificatePem: pemOf(device), status: "ACTIVE" });
    await workshop.registry.authorities.update(scope, caCertificateId, { status: "INACTIVE" });
    const result = await workshop.registry.resolvePrincipal([device.encoding], undefined);
    expect(result).toMatchObject(ok ? { ok } : { ok, code: "ERR_IDENTITY_AUTHORITY_INACTIVE", caCertificateId });
    // What lets it connect lets it stay.
    if (result.ok) expect(workshop.registry.connectionRights().open(result.principal, "c").refusal).toBeUndefined();
  });

  test("without an authority is held to its dates and to a server name", async () => {
    await using workshop = await Workshop.open();
    const device = makeDevice(makeAuthority("Stranger"), { days: 1 });
    const certificatePem = pemOf(device);
    await workshop.registry.certificates.registerWithoutAuthority(scope, { certificatePem, status: "ACTIVE" });
    expect(await workshop.registry.resolvePrincipal([device.encoding], undefined)).toMatchObject({
      ok: false,
      code: "ERR_IDENTITY_SERVER_NAME",
      serverName: undefined,
    });
    expect((await workshop.registry.resolvePrincipal([device.encoding], "localhost")).ok).toBe(true);
    workshop.nowSeconds = device.validity.notAfter;
    expect((await workshop.registry.resolvePrincipal([device.encoding], "localhost")).ok).toBe(true);
    workshop.nowSeconds++;
    expect(await workshop.registry.resolvePrincipal([device.encoding], "localhost")).toMatchObject({
      ok: false,
      code: "ERR_IDENTITY_DATES",
      notAfter: device.validity.notAfter,
    });
    workshop.nowSeconds = device.validity.notBefore - 1;
    expect((await workshop.registry.resolvePrincipal([device.encoding], "localhost")).ok).toBe(false);
  });
});

test("of several accounts the server name selects one, and without it none is guessed", async () => {
  await using workshop = await Workshop.open();
  const { registry } = workshop;
  await registry.createAccount(second);
  const device = makeDevice(makeAuthority("Stranger"));
  for (const owner of [scope, second]) {
    await registry.certificates.registerWithoutAuthority(owner, { certificatePem: pemOf(device), status: "ACTIVE" });
  }
  const resolve = async (serverName: string | undefined): Promise<unknown> => {
    const result = await registry.resolvePrincipal([device.encoding], serverName);
    return result.ok ? result.principal.scope.account : result.code;
  };
  expect(await resolve(registry.describeAccount(second).endpoint)).toBe(second.account);
  expect(await resolve(registry.describeAccount(scope).endpoint.toUpperCase())).toBe(scope.account);
  expect(await resolve("localhost")).toBe("ERR_IDENTITY_SERVER_NAME");
  expect(await resolve(undefined)).toBe("ERR_IDENTITY_SERVER_NAME");
  await registry.setEndpoint(second, "pizza.example");
  expect(await resolve("pizza.example")).toBe(second.account);
  await expect(registry.setEndpoint(scope, "PIZZA.example")).rejects.toMatchObject({
    code: "ERR_REGISTRY_ALREADY_EXISTS",
  });
  await expect(registry.setEndpoint(scope, "https://x")).rejects.toMatchObject({ code: "ERR_REGISTRY_INVALID" });
});

describe("what is no identity", () => {
  test.each([
    ["nothing", () => [], "ERR_IDENTITY_NO_CERTIFICATE"],
    ["garbage", () => [Uint8Array.of(1, 2, 3)], "ERR_IDENTITY_MALFORMED"],
    ["a certificate of a stranger", () => [makeDevice(makeAuthority("Stranger")).encoding], "ERR_IDENTITY_CHAIN"],
  ] as [string, () => Uint8Array[], string][])("%s is refused", async (_, chain, code) => {
    await using workshop = await Workshop.open();
    expect(await workshop.registry.resolvePrincipal(chain(), undefined)).toMatchObject({ ok: false, code });
  });

  test("a certificate of the local authority that was never registered is refused", async () => {
    await using workshop = await Workshop.open();
    const device = makeDevice(workshop.local);
    expect(await workshop.registry.resolvePrincipal([device.encoding], undefined)).toMatchObject({
      code: "ERR_IDENTITY_UNKNOWN",
      certificateId: idOf(device),
    });
    expect(workshop.registry.certificates.list(scope).items).toEqual([]);
  });
});

describe("just-in-time registration", () => {
  test("registers on the first connection, refuses it, and says so each time until it is active", async () => {
    const events: CertificateRegisteredEvent[] = [];
    await using workshop = await Workshop.open({ onCertificateRegistered: (_, event) => events.push(event) });
    const authority = makeAuthority();
    const caCertificateId = await workshop.registerAuthority(authority, { autoRegistration: true });
    const device = makeDevice(authority);
    const certificateId = idOf(device);
    const first = await workshop.registry.resolvePrincipal([device.encoding], undefined);
    expect(first).toMatchObject({ ok: false, code: "ERR_IDENTITY_PENDING_ACTIVATION" });
    expect(workshop.registry.certificates.describe(scope, certificateId)).toMatchObject({
      status: "PENDING_ACTIVATION",
      caCertificateId,
    });
    workshop.nowSeconds += 5;
    await workshop.registry.resolvePrincipal([device.encoding], undefined);
    const event = {
      certificateId,
      caCertificateId,
      certificateStatus: "PENDING_ACTIVATION",
      awsAccountId: scope.account,
      certificateRegistrationTimestamp: String(startSeconds * 1000),
    };
    expect(events).toEqual([
      { ...event, timestamp: startSeconds * 1000 },
      { ...event, timestamp: (startSeconds + 5) * 1000 },
    ]);
    const batch = workshop.registry.changesAfter(0);
    expect(batch.isComplete && batch.changes.filter(({ kind }) => kind === "certificate-registered")).toHaveLength(1);
    await workshop.registry.certificates.updateStatus(scope, certificateId, "ACTIVE");
    expect((await workshop.registry.resolvePrincipal([device.encoding], undefined)).ok).toBe(true);
  });

  test("a listener that throws changes nothing but that the refusal says so", async () => {
    let isBroken = true;
    const onCertificateRegistered = (): void => {
      if (isBroken) throw new Error("no room in the queue");
    };
    await using workshop = await Workshop.open({ onCertificateRegistered });
    const authority = makeAuthority();
    await workshop.registerAuthority(authority, { autoRegistration: true });
    const device = makeDevice(authority);
    const refusal = (): Promise<unknown> => workshop.registry.resolvePrincipal([device.encoding], undefined);
    const pending = { ok: false, code: "ERR_IDENTITY_PENDING_ACTIVATION", certificateId: idOf(device) };
    expect(await refusal()).toMatchObject({ ...pending, listenerError: "no room in the queue" });
    expect(workshop.registry.certificates.describe(scope, idOf(device)).status).toBe("PENDING_ACTIVATION");
    expect(await refusal()).toMatchObject({ ...pending, listenerError: "no room in the queue" });
    isBroken = false;
    expect(await refusal()).toMatchObject({ ...pending, listenerError: undefined });
  });

  test.each([
    ["was set INACTIVE", { status: "INACTIVE" } as const, "ERR_IDENTITY_CHAIN"],
    ["does not register just in time", { autoRegistration: false } as const, "ERR_IDENTITY_UNKNOWN"],
  ])("does nothing where the authority %s", async (_, update, code) => {
    await using workshop = await Workshop.open();
    const authority = makeAuthority();
    const id = await workshop.registerAuthority(authority, { autoRegistration: true });
    await workshop.registry.authorities.update(scope, id, update);
    const device = makeDevice(authority);
    expect(await workshop.registry.resolvePrincipal([device.encoding], undefined)).toMatchObject({ code });
    expect(workshop.registry.certificates.list(scope).items).toEqual([]);
  });

  test("of two connections at once registers once", async () => {
    await using workshop = await Workshop.open();
    const authority = makeAuthority();
    await workshop.registerAuthority(authority, { autoRegistration: true });
    const device = makeDevice(authority);
    const results = await Promise.all(
      [1, 2].map(() => workshop.registry.resolvePrincipal([device.encoding], undefined)),
    );
    expect(results.map((result) => (result.ok ? "" : result.code))).toEqual([
      "ERR_IDENTITY_PENDING_ACTIVATION",
      "ERR_IDENTITY_PENDING_ACTIVATION",
    ]);
    expect(workshop.registry.certificates.list(scope).items).toHaveLength(1);
  });
});

const template = JSON.stringify({
  Parameters: {
    "AWS::IoT::Certificate::CommonName": { Type: "String" },
    "AWS::IoT::Certificate::Id": { Type: "String" },
  },
  Resources: {
    thing: {
      Type: "AWS::IoT::Thing",
      Properties: { ThingName: { Ref: "AWS::IoT::Certificate::CommonName" }, AttributePayload: { model: "button" } },
    },
    certificate: {
      Type: "AWS::IoT::Certificate",
      Properties: { CertificateId: { Ref: "AWS::IoT::Certificate::Id" }, Status: "ACTIVE" },
    },
    policy: { Type: "AWS::IoT::Policy", Properties: { PolicyDocument: allow("iot:Publish", "topic/orders") } },
  },
});

describe("just-in-time provisioning", () => {
  test("makes thing and policy, activates the certificate, and the second connection succeeds", async () => {
    await using workshop = await Workshop.open();
    const { registry } = workshop;
    const authority = makeAuthority();
    await workshop.registerAuthority(authority, { autoRegistration: true, templateBody: template });
    const device = makeDevice(authority, { subject: [{ type: "CN", value: "lamp" }] });
    const first = await registry.resolvePrincipal([device.encoding], undefined);
    expect(first).toMatchObject({ code: "ERR_IDENTITY_PENDING_ACTIVATION", provisioningError: undefined });
    expect((await registry.resolvePrincipal([device.encoding], undefined)).ok).toBe(true);
    expect(registry.things.describe(scope, "lamp").attributes).toEqual({ model: "button" });
    expect(registry.things.listPrincipals(scope, "lamp").items).toHaveLength(1);
    expect(registry.effectivePolicies(scope, idOf(device), "lamp")).toMatchObject([
      { document: allow("iot:Publish", "topic/orders") },
    ]);
  });

  test("that fails leaves the certificate pending, without a thing, and says why", async () => {
    await using workshop = await Workshop.open();
    const authority = makeAuthority();
    await workshop.registerAuthority(authority, { autoRegistration: true, templateBody: template });
    const device = makeDevice(authority, { subject: [{ type: "O", value: "no common name" }] });
    expect(await workshop.registry.resolvePrincipal([device.encoding], undefined)).toMatchObject({
      code: "ERR_IDENTITY_PENDING_ACTIVATION",
      provisioningError: expect.stringContaining("AWS::IoT::Certificate::CommonName"),
    });
    expect(workshop.registry.things.list(scope).items).toEqual([]);
    expect(workshop.registry.certificates.describe(scope, idOf(device)).status).toBe("PENDING_ACTIVATION");
  });
});

test("a key pair that is used again is another certificate", async () => {
  await using workshop = await Workshop.open();
  const key = newKey();
  const pem = makeRequestPem(key);
  const one = await workshop.registry.certificates.createFromCsr(scope, pem, { setAsActive: true });
  const two = makeDevice(workshop.local, { key });
  expect(one.certificateId).not.toBe(idOf(two));
  expect((await workshop.registry.resolvePrincipal([two.encoding], undefined)).ok).toBe(false);
});

test("the endpoint of a new account is not taken from the account that has it", async () => {
  await using workshop = await Workshop.open();
  const { registry } = workshop;
  const host = "a111111111111-ats.iot.us-east-1.localhost";
  await registry.setEndpoint(scope, host);
  await expect(registry.createAccount(second)).rejects.toMatchObject({ code: "ERR_REGISTRY_ALREADY_EXISTS" });
  expect(registry.scopeOfServerName(host)).toEqual(scope);
  expect(registry.listAccounts().items).toHaveLength(1);
  await registry.setEndpoint(scope, "pizza.example");
  await registry.createAccount(second);
  expect(registry.scopeOfServerName(host)).toEqual(second);
});

test("an SNI_ONLY authority registers just in time with a server name only", async () => {
  await using workshop = await Workshop.open();
  const authority = makeAuthority();
  await workshop.registry.authorities.register(scope, {
    caCertificatePem: pemOf(authority.certificate),
    certificateMode: "SNI_ONLY",
    setAsActive: true,
    allowAutoRegistration: true,
  });
  const device = makeDevice(authority);
  expect(await workshop.registry.resolvePrincipal([device.encoding], undefined)).toMatchObject({
    code: "ERR_IDENTITY_UNKNOWN",
  });
  expect(workshop.registry.certificates.list(scope).items).toEqual([]);
  expect(await workshop.registry.resolvePrincipal([device.encoding], "localhost")).toMatchObject({
    code: "ERR_IDENTITY_PENDING_ACTIVATION",
  });
});

test("of many connections of a device at once one is provisioned, and none reports a fault of the template", async () => {
  const inner = createMemoryStorage();
  const storage: Storage = {
    read: (body) => inner.read(body),
    // As with a busy disk: the others come in between.
    write: async (body) => {
      await new Promise((resolve) => setImmediate(resolve));
      return inner.write(body);
    },
    sequence: () => inner.sequence(),
    changesAfter: (sequence, limit) => inner.changesAfter(sequence, limit),
    onCommit: (listener) => inner.onCommit(listener),
    [Symbol.asyncDispose]: () => inner[Symbol.asyncDispose](),
  };
  await using workshop = await Workshop.open({ storage });
  const authority = makeAuthority();
  const templateBody = JSON.stringify({
    Parameters: { "AWS::IoT::Certificate::Id": { Type: "String" } },
    Resources: {
      c: { Type: "AWS::IoT::Certificate", Properties: { CertificateId: { Ref: "AWS::IoT::Certificate::Id" } } },
      t: {
        Type: "AWS::IoT::Thing",
        Properties: { ThingName: "lamp" },
        OverrideSettings: { AttributePayload: "FAIL" },
      },
    },
  });
  await workshop.registerAuthority(authority, { autoRegistration: true, templateBody });
  const device = makeDevice(authority);
  const results = await Promise.all(
    Array.from({ length: 20 }, () => workshop.registry.resolvePrincipal([device.encoding], undefined)),
  );
  for (const result of results) {
    if (result.ok) continue;
    expect(result).toMatchObject({ code: "ERR_IDENTITY_PENDING_ACTIVATION", provisioningError: undefined });
  }
  expect(workshop.registry.certificates.list(scope).items).toMatchObject([{ status: "ACTIVE", customerVersion: 2 }]);
});

test("values of the storage that are not as they were written are named as damage", async () => {
  const key = "000000000000:us-east-1";
  const values = ["", "{", "null", "[]", "17", '{"a":1}', '{"__proto__":null}', '"text"'];
  const notPem = (stored: string): string =>
    JSON.stringify(Object.assign({}, JSON.parse(stored), { certificatePem: "no PEM" }));
  for (const table of ["account", "certificate", "certificate-authority", "endpoint"]) {
    for (const value of [...values, notPem]) {
      await using workshop = await Workshop.open();
      const { id, der } = await workshop.activeDevice();
      const caId = idOf(workshop.local.certificate);
      const keys: Record<string, string> = {
        account: key,
        certificate: `${key}/${id}`,
        "certificate-authority": `${key}/${caId}`,
        endpoint: "localhost",
      };
      const [name = ""] = [keys[table]];
      await workshop.storage.write((writer) => {
        writer.put(table, name, typeof value === "string" ? value : value(writer.get(table, name) ?? "{}"));
      });
      const reads: (() => unknown)[] = [
        () => workshop.registry.resolvePrincipal([der], "localhost"),
        () => workshop.registry.describeAccount(scope),
        () => workshop.registry.authorities.describe(scope, caId),
        () =>
          workshop.registry.testAuthorization(scope, {
            certificateId: id,
            questions: [{ actionType: "CONNECT", resources: ["*"] }],
          }),
        () => workshop.registry.certificates.createFromCsr(scope, makeRequestPem()),
      ];
      const codes = await Promise.all(
        reads.map(async (read) => {
          try {
            await read();
            return "read";
          } catch (error) {
            return error instanceof Error && "code" in error ? error.code : error;
          }
        }),
      );
      const isUnread = (table === "account" || table === "endpoint") && typeof value === "function";
      const found = [table, String(value), new Set(codes.filter((code) => code !== "read"))];
      if (!isUnread) expect(found).toEqual([table, String(value), new Set(["ERR_REGISTRY_CORRUPT"])]);
    }
  }
});

test("the server name of another account is refused, also where only one account has the certificate", async () => {
  await using workshop = await Workshop.open();
  await workshop.registry.createAccount(second);
  const { endpoint } = workshop.registry.describeAccount(second);
  const { der } = await workshop.activeDevice();
  for (const name of [endpoint, endpoint.toUpperCase()]) {
    expect(await workshop.registry.resolvePrincipal([der], name)).toMatchObject({ code: "ERR_IDENTITY_SERVER_NAME" });
  }
  for (const name of [`${endpoint}.`, "127.0.0.1", "::1", "a/b", "__proto__", "", "x".repeat(10_000)]) {
    expect(await workshop.registry.resolvePrincipal([der], name)).toMatchObject({ ok: true, principal: { scope } });
  }
});

test("an authority that registers just in time in two accounts does so with a server name only", async () => {
  await using workshop = await Workshop.open();
  const { registry } = workshop;
  await registry.createAccount(second);
  const authority = makeAuthority();
  for (const owner of [scope, second]) {
    const code = await registry.authorities.registrationCode(owner);
    const own = owner === scope ? authority : makeAuthority("Other CA");
    await registry.authorities.register(owner, {
      caCertificatePem: pemOf(own.certificate),
      verificationCertificatePem: pemOf(makeDevice(own, { subject: [{ type: "CN", value: code }] })),
      setAsActive: true,
      allowAutoRegistration: true,
    });
  }
  const device = makeDevice(authority);
  expect(await registry.resolvePrincipal([device.encoding], undefined)).toMatchObject({ code: "ERR_IDENTITY_UNKNOWN" });
  const { endpoint } = registry.describeAccount(scope);
  expect(await registry.resolvePrincipal([device.encoding], endpoint)).toMatchObject({
    code: "ERR_IDENTITY_PENDING_ACTIVATION",
  });
});
