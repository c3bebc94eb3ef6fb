import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Ajv2020 } from "ajv/dist/2020.js";
import { standardLimits } from "@latchkey/broker-core";
import { describe, expect, test } from "vitest";
import { startCommand } from "../../src/commands/start.ts";
import { configurationSchema, parseConfiguration, type Configuration } from "../../src/configuration/configuration.ts";
import { coreLimits } from "../../src/configuration/limit-members.ts";
import { changedNames, settingsOf, type StartFlags } from "../../src/configuration/settings.ts";

const schemaFile = fileURLToPath(new URL("../../latchkey.schema.json", import.meta.url));
const isValid = new Ajv2020({ allErrors: true }).compile(configurationSchema);

/** The message of the refusal, or undefined where it is taken. */
function refusal(value: unknown): string | undefined {
  try {
    parseConfiguration("latchkey.json", JSON.stringify(value));
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

test("the published schema is that of the reader; LATCHKEY_WRITE_SCHEMA=1 writes it", () => {
  if (process.env["LATCHKEY_WRITE_SCHEMA"] !== undefined) {
    writeFileSync(schemaFile, `${JSON.stringify(configurationSchema, undefined, 2)}\n`);
  }
  expect(JSON.parse(readFileSync(schemaFile, "utf8"))).toEqual(JSON.parse(JSON.stringify(configurationSchema)));
});

test.each([
  {},
  { port: 0, https: { enabled: false }, names: ["broker.example", "::1"], log: { level: "debug" } },
  { $schema: "latchkey.schema.json", limits: { connection: { isKeepAliveOptional: false }, address: {} } },
])("the reader and the schema take %j", (value) => {
  expect(refusal(value)).toBeUndefined();
  expect(isValid(value)).toBe(true);
});

test.each([
  [[], "latchkey.json: is []: it has to be an object"],
  [{ prot: 1 }, /^latchkey\.json: prot is not a setting\. Did you mean port\? There are: .*data, host, port/],
  [{ port: 65_536 }, "latchkey.json: port is 65536: it has to be a whole number from 0 to 65535"],
  [{ port: "8883" }, 'latchkey.json: port is "8883": it has to be a whole number from 0 to 65535'],
  [{ log: { level: "loud" } }, /log\.level is "loud": it has to be one of "fatal", "error"/],
  [{ names: ["a b"] }, /names\.0 is "a b": it has to be a DNS name or an IP address/],
  [{ names: "a" }, 'latchkey.json: names is "a": it has to be a list'],
  [{ control: { enabled: 1 } }, "latchkey.json: control.enabled is 1: it has to be true or false"],
  [{ account: "12" }, 'latchkey.json: account is "12": it has to be 12 digits'],
  [{ region: "x".repeat(33) }, /region is "x+": it has to be small letters, digits and hyphens/],
  [{ data: "" }, 'latchkey.json: data is "": it has to be a text that is not empty'],
  [{ limits: { connection: { receiveMaximum: 0 } } }, /limits\.connection\.receiveMaximum is 0: .* from 1 to 65535/],
  [{ limits: { maximumConnections: 1 } }, /limits\.maximumConnections is not a setting/],
  [{ host: null }, "latchkey.json: host is null: it has to be a text that is not empty"],
  [{ port: 1.5, account: 7 }, /port is 1\.5: .*\. account is 7: /],
])("neither takes %j, and the refusal says where and what is allowed", (value, message) => {
  expect(refusal(value)).toMatch(message);
  expect(isValid(value)).toBe(false);
});

test("what is no JSON is refused", () => {
  expect(() => parseConfiguration("latchkey.json", "{")).toThrow(/^latchkey\.json: is no JSON: /);
});

test("a member named like one of every object is no setting", () => {
  expect(() => parseConfiguration("f", '{"constructor": 1, "__proto__": {"port": 1}}')).toThrow(
    /constructor is not a setting/,
  );
});

test.each([
  ['{"port": 1, "host": "::1", "port": 2}', "port"],
  ['{"log": {"level": "info", "file": "a", "level": "debug"}}', "log.level"],
  ['{"limits": {"connection": {"receiveMaximum": 1, "\\u0072eceiveMaximum": 2}}}', "limits.connection.receiveMaximum"],
  ['{"log": {"file": "{\\"port\\": 1,"}, "names": ["a", "b"], "log": {}}', "log"],
])("members that stand there twice are refused by name: %s", (content, path) => {
  expect(() => parseConfiguration("f", content)).toThrow(`f: ${path} stands there more than once: leave one of them`);
});

test("members of the same name in different objects are no duplicates, nor are equal values", () => {
  const content = '{"https": {"port": 1}, "alpn": {"port": 1}, "names": ["port", "port"], "host": "port"}';
  expect(parseConfiguration("f", content)).toMatchObject({ https: { port: 1 }, alpn: { port: 1 } });
});

test("a string of millions of characters is looked through", () => {
  expect(parseConfiguration("f", `{"host": "${"x".repeat(10_000_000)}"}`).host).toHaveLength(10_000_000);
});

describe("limits that contradict each other", () => {
  const connection = (limits: NonNullable<NonNullable<Configuration["limits"]>["connection"]>): Configuration => ({
    limits: { connection: limits },
  });
  const contradictions: readonly (readonly [StartFlags, Configuration, string])[] = [
    [
      {},
      connection({ minimumKeepAliveSeconds: 61, maximumKeepAliveSeconds: 60 }),
      "limits.connection.minimumKeepAliveSeconds 61 is above limits.connection.maximumKeepAliveSeconds 60",
    ],
    [
      { profile: "aws" },
      connection({ maximumKeepAliveSeconds: 20 }),
      "minimumKeepAliveSeconds 30 (the default) is above limits.connection.maximumKeepAliveSeconds 20",
    ],
    [
      {},
      connection({ maximumPayloadOctets: 5000, maximumPacketSize: 4000 }),
      "limits.connection.maximumPayloadOctets 5000 is above limits.connection.maximumPacketSize 4000",
    ],
    [
      {},
      { limits: { process: { maximumIncompleteOctetsOfAll: 2_097_151 } } },
      "limits.process.maximumIncompleteOctetsOfAll 2097151 is below limits.connection.maximumPacketSize 2097152 (the default)",
    ],
    ...(["principal", "address"] as const).map(
      (group) =>
        [
          {},
          { limits: { [group]: { maximumIncompleteOctets: 1999 }, connection: { maximumPacketSize: 2000 } } },
          `limits.${group}.maximumIncompleteOctets 1999 is below limits.connection.maximumPacketSize 2000`,
        ] as const,
    ),
  ];

  test.each(contradictions)("%j %j is refused, and both are named", (flags, file, message) => {
    expect(() => settingsOf({ ...flags, config: "latchkey.json" }, file)).toThrow(message);
    expect(() => settingsOf({ ...flags, config: "latchkey.json" }, file)).toThrow(/^latchkey\.json: limits/);
  });

  test.each([
    connection({ minimumKeepAliveSeconds: 60, maximumKeepAliveSeconds: 60 }),
    connection({ maximumPayloadOctets: 4000, maximumPacketSize: 4000 }),
    connection({ maximumPayloadOctets: 5_000_000 }),
    { limits: { address: { maximumIncompleteOctets: 2000 }, connection: { maximumPacketSize: 2000 } } },
  ])("%j is taken", (file) => {
    expect(() => settingsOf({}, file)).not.toThrow();
  });
});

const certificate = "0a".repeat(32);

/** Each flag, and the file that says the same. */
const pairs: readonly (readonly [StartFlags, Configuration])[] = [
  [{ data: "d" }, { data: "d" }],
  [{ host: "::" }, { host: "::" }],
  [{ port: "1" }, { port: 1 }],
  [{ port: "0" }, { port: 0 }],
  [{ https: false }, { https: { enabled: false } }],
  [{ "https-port": "2" }, { https: { port: 2 } }],
  [{ "alpn-port": "443" }, { alpn: { port: 443 } }],
  [
    { "plain-port": "1883", "plain-host": "::1", "plain-certificate": certificate },
    { plain: { port: 1883, host: "::1", certificate } },
  ],
  [{ name: "a.example,::1" }, { names: ["a.example", "::1"] }],
  [{ region: "eu-west-1" }, { region: "eu-west-1" }],
  [{ account: "123456789012" }, { account: "123456789012" }],
  [{ control: false }, { control: { enabled: false } }],
  [{ "control-host": "10.0.0.1" }, { control: { host: "10.0.0.1" } }],
  [{ "control-port": "3" }, { control: { port: 3 } }],
  [{ "control-tls": true }, { control: { tls: true } }],
  [{ "metrics-port": "4", "metrics-host": "::1" }, { metrics: { port: 4, host: "::1" } }],
  [{ denial: "parity" }, { denial: "parity" }],
  [{ profile: "aws" }, { profile: "aws" }],
  [{ tls: "latchkey" }, { tls: "latchkey" }],
  [{ sessions: "memory" }, { sessions: "memory" }],
  [{ "log-level": "warn" }, { log: { level: "warn" } }],
  [{ "log-file": "l" }, { log: { file: "l" } }],
];

describe("flags and file", () => {
  test.each(pairs)("%j is %j", (flags, file) => {
    expect(settingsOf({}, file)).toEqual(settingsOf(flags, {}));
    expect(settingsOf(flags, {})).not.toEqual(settingsOf({}, {}));
  });

  test("every flag has its place in the file", () => {
    const flags = new Set(pairs.flatMap(([one]) => Object.keys(one)));
    expect([...flags].toSorted()).toEqual(
      Object.keys(startCommand.args ?? {})
        .filter((name) => name !== "config" && name !== "check")
        .toSorted(),
    );
  });

  test("flags win", () => {
    const file: Configuration = { port: 1, host: "10.0.0.1", https: { enabled: false }, denial: "explain" };
    const { fixed } = settingsOf({ port: "2", https: true, denial: "parity" }, file);
    expect(fixed.listeners).toEqual([
      { service: "mqtts", host: "10.0.0.1", port: 2 },
      { service: "https", host: "10.0.0.1", port: 8443 },
    ]);
    expect(fixed.denial).toBe("parity");
  });

  test("what has changed is named as in the file", () => {
    const before = settingsOf({}, {}).fixed;
    const after = settingsOf(
      {},
      {
        names: ["x"],
        log: { file: "l" },
        handshakeTimeoutMs: 200,
        limits: { process: { maximumConnections: 1 } },
      },
    ).fixed;
    expect(changedNames(before, after)).toEqual(["names", "handshakeTimeoutMs", "log.file"]);
    expect(changedNames(before, before)).toEqual([]);
  });
});

describe("MQTT without TLS", () => {
  const listeners = (file: Configuration): unknown => settingsOf({}, file).fixed.listeners;

  test("there is none without a port, whatever else is set", () => {
    expect(listeners({ plain: { certificate, host: "0.0.0.0" } })).toEqual(listeners({}));
  });

  test("it is on 127.0.0.1, whatever address the others have", () => {
    expect(listeners({ host: "0.0.0.0", plain: { port: 1883, certificate } })).toContainEqual({
      service: "mqtt",
      host: "127.0.0.1",
      port: 1883,
      certificateId: certificate,
    });
  });

  test.each(["0.0.0.0", "::", "192.0.2.1", "broker.example", "127.0.0.1.example", "::ffff:192.0.2.1"])(
    "%s is refused",
    (host) => {
      expect(() => listeners({ plain: { port: 1883, certificate, host } })).toThrow(
        `plain MQTT cannot listen on "${host}": without TLS only a loopback address (127.0.0.1, ::1) is possible`,
      );
    },
  );

  test("who its clients are has to be said", () => {
    expect(() => listeners({ plain: { port: 1883 } })).toThrow(/needs the ID of a registered certificate/);
    expect(() => settingsOf({ "plain-port": "1", "plain-certificate": "abc" }, {})).toThrow(
      /--plain-certificate "abc" is not possible: it is the 64 hexadecimal digits/,
    );
    expect(refusal({ plain: { certificate: "abc" } })).toMatch(/plain\.certificate is "abc": it has to be the 64/);
  });
});

test("every limit of the broker core can be set, and none twice", () => {
  const groups = JSON.parse(readFileSync(schemaFile, "utf8")).properties.limits.properties as Record<
    string,
    { properties: Record<string, { type: string; minimum: number }> }
  >;
  const value = Object.fromEntries(
    Object.entries(groups).map(([group, { properties }]) => [
      group,
      Object.fromEntries(
        // Room for a packet of the least maximum packet size.
        Object.entries(properties).map(([name, { type, minimum }]) => [
          name,
          type === "boolean" ? false : name.startsWith("maximumIncompleteOctets") ? 1024 : minimum,
        ]),
      ),
    ]),
  );
  const { limits } = parseConfiguration("f", JSON.stringify({ limits: value }));
  expect(Object.keys(coreLimits(limits ?? {})).toSorted()).toEqual(Object.keys(standardLimits).toSorted());
  expect(settingsOf({}, { limits }).live.listenerLimits).toEqual({
    maximumConnections: 1,
    maximumConnectionsPerSecond: 0,
    maximumConnectionsOfAddress: 1,
    maximumConnectionsPerSecondOfAddress: 0,
    maximumHandshakesOfAddress: 1,
    refusedTimeoutMs: 1,
  });
});

test("the table of limits in the README has every limit, in the column of what it is counted for", () => {
  const readme = readFileSync(fileURLToPath(new URL("../../README.md", import.meta.url)), "utf8");
  const [, limits = ""] = readme.split("\n## Limits\n");
  const [, ...rows] = limits.split("\n").filter((line) => line.startsWith("| "));
  const columns = new Map<string, Set<string>>();
  for (const row of rows) {
    for (const [index, cell] of row.split("|").slice(2, 6).entries()) {
      for (const scope of [["connection", "client"], ["address"], ["principal"], ["process"]][index] ?? []) {
        const names = columns.get(scope) ?? new Set();
        for (const [, name = ""] of cell.matchAll(/`([A-Za-z]+)`/g)) names.add(name);
        columns.set(scope, names);
      }
    }
  }
  const groups = JSON.parse(readFileSync(schemaFile, "utf8")).properties.limits.properties as Record<
    string,
    { properties: Record<string, unknown> }
  >;
  const missing = Object.entries(groups).flatMap(([scope, { properties }]) =>
    Object.keys(properties).filter((name) => columns.get(scope)?.has(name) !== true),
  );
  expect(missing).toEqual([]);
});
