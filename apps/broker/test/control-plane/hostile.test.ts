/** What strangers and broken clients send: every answer is an exception that parses, and the server goes on. */

import { request as httpRequest } from "node:http";
import { connect, type Socket } from "node:net";
import {
  CreateKeysAndCertificateCommand,
  CreateThingCommand,
  DescribeThingCommand,
  ListThingsCommand,
  type IoTClient,
} from "@aws-sdk/client-iot";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { RunningControlPlane } from "./running-control-plane.ts";
import { send, signed, type Answer } from "./signed-request.ts";

let plane: RunningControlPlane;
let client: IoTClient;
beforeAll(async () => {
  plane = await RunningControlPlane.start();
  client = plane.client();
  await client.send(new CreateThingCommand({ thingName: "lamp" }));
});
afterAll(() => plane[Symbol.asyncDispose]());

const port = (): number => Number(new URL(plane.url).port);
const isException = (answer: Answer, status: number, errorType: string): void => {
  expect(answer).toMatchObject({ status, errorType });
  expect(JSON.parse(answer.body)).toEqual({ __type: errorType, message: expect.any(String) as string });
};

/** Sends a target as it is, which `fetch` would normalise. */
function sendRaw(method: string, path: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest({ host: "127.0.0.1", port: port(), method, path }, (incoming) => {
      let body = "";
      incoming.on("data", (chunk: Buffer) => (body += chunk.toString()));
      incoming.on("end", () =>
        resolve({ status: incoming.statusCode ?? 0, errorType: String(incoming.headers["x-amzn-errortype"]), body }),
      );
    });
    outgoing.on("error", reject).end();
  });
}

/** Writes octets to the port, and reads until the server ends the connection. */
function sendOctets(octets: string | readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port(), "127.0.0.1");
    let answer = "";
    socket.on("data", (chunk: Buffer) => (answer += chunk.toString()));
    socket.on("error", reject);
    socket.on("close", () => resolve(answer));
    for (const part of typeof octets === "string" ? [octets] : octets) socket.write(part);
  });
}

describe("a path", () => {
  test.each([
    "/things/../policies",
    "/things/%2e%2e/policies",
    "/things/%2E",
    "/./things",
    "//things",
    "/things//principals",
    "/things/",
    "/things/a%00b",
    "/things/a%0d%0aset-cookie:x",
    "/things/%zz",
    "/things/%ff",
    "/things/%",
    "/things?thingTypeName=%ff",
    "http://127.0.0.1/things",
    "*",
  ])("like %s is refused before anything is looked up", async (path) => {
    isException(await sendRaw("GET", path), 400, "InvalidRequestException");
  });

  test.each([
    ["/things/lamp%2Fprincipals", 400, "InvalidRequestException"],
    ["/things/..%2Fthings%2Flamp", 400, "InvalidRequestException"],
    ["/things/%252e%252e", 400, "InvalidRequestException"],
    ["/things/lamp%252Fprincipals", 400, "InvalidRequestException"],
    ["/Things/lamp", 404, "UnknownOperationException"],
    ["/__proto__", 404, "UnknownOperationException"],
    ["/things/lamp/shadow", 404, "UnknownOperationException"],
    ["/jobs", 404, "UnknownOperationException"],
  ])("like %s names one thing, which does not exist", async (path, status, errorType) => {
    isException(
      await send(await signed({ url: `${plane.url}${path}` }, { key: plane.administrator })),
      status,
      errorType,
    );
  });

  test("with a literal that is percent-encoded is the same path", async () => {
    const answer = await send(await signed({ url: `${plane.url}/%74hings/l%61mp` }, { key: plane.administrator }));
    expect(answer).toMatchObject({ status: 200 });
  });

  test("with another method is MethodNotAllowedException", async () => {
    for (const method of ["POST", "DELETE", "HEAD", "OPTIONS"]) {
      const answer = await send(await signed({ url: `${plane.url}/endpoint`, method }, { key: plane.administrator }));
      expect(answer).toMatchObject({ status: 405, errorType: "MethodNotAllowedException" });
    }
  });
});

describe("a query", () => {
  test.each([
    ["pageSize=1&pageSize=2"],
    ["pageSize=1e2"],
    ["pageSize=%31%30%30%30"],
    ["pageSize="],
    ["pageSize=NaN"],
    ["isAscendingOrder=yes"],
    ["isAscendingOrder=1"],
    ["marker=..%2F..%2F"],
  ])("%s is refused", async (query) => {
    const request = await signed({ url: `${plane.url}/certificates?${query}` }, { key: plane.administrator });
    isException(await send(request), 400, "InvalidRequestException");
  });
});

describe("a body", () => {
  const post = async (body: string, path = "/things/other"): Promise<Answer> =>
    send(await signed({ url: `${plane.url}${path}`, method: "POST", body }, { key: plane.administrator }));

  test.each([
    ["no JSON", "{"],
    ["a list", "[]"],
    ["a text", '"a"'],
    ["nested 100,000 deep", `{"attributePayload":${"[".repeat(100_000)}${"]".repeat(100_000)}}`],
    ["with a member of another type", '{"thingTypeName":{"a":1}}'],
    ["with a list for a map", '{"attributePayload":{"attributes":["a"]}}'],
    ["with a number for a text", '{"attributePayload":{"attributes":{"a":1}}}'],
    ["with a byte order mark", '\uFEFF{"thingTypeName":"a"}'],
  ])("%s is InvalidRequestException", async (_, body) => {
    isException(await post(body), 400, "InvalidRequestException");
  });

  test("with names that objects have anyway keeps them as names", async () => {
    const body =
      '{"attributePayload":{"attributes":{"__proto__":"a","constructor":"b"}},"__proto__":{"thingTypeName":"c"}}';
    expect(await post(body)).toMatchObject({ status: 200 });
    const { attributes = {}, thingTypeName } = await client.send(new DescribeThingCommand({ thingName: "other" }));
    expect(Object.entries(attributes)).toContainEqual(["constructor", "b"]);
    expect(thingTypeName).toBeUndefined();
  });

  test("of more than 512 KiB is RequestEntityTooLargeException, and of a stranger it is not read", async () => {
    const body = JSON.stringify({ policyDocument: "x".repeat(600_000) });
    isException(await post(body, "/policies/p"), 413, "RequestEntityTooLargeException");
    const head = `POST /policies/p HTTP/1.1\r\nhost: x\r\ncontent-length: 100000000000\r\n\r\n`;
    const answer = await sendOctets(head);
    expect(answer).toMatch(/^HTTP\/1\.1 403 /);
    expect(answer).toContain("MissingAuthenticationTokenException");
  });

  test("that does not come is RequestTimeoutException", async () => {
    const { headers } = await signed(
      { url: `${plane.url}/policies/p`, method: "POST", body: "{}" },
      { key: plane.administrator },
    );
    const lines = [...headers].map(([name, value]) => `${name}: ${value}\r\n`).join("");
    const answer = await sendOctets([`POST /policies/p HTTP/1.1\r\n${lines}content-length: 2\r\n\r\n`, "{"]);
    expect(answer).toMatch(/^HTTP\/1\.1 408 /);
    expect(JSON.parse(answer.slice(answer.indexOf("{")))).toMatchObject({ __type: "RequestTimeoutException" });
  });
});

describe("a connection", () => {
  test("with too many headers, no HTTP or a broken head gets an answer that parses", async () => {
    const flood = Array.from({ length: 2000 }, (_, index) => `x-h${index}: ${"a".repeat(20)}\r\n`).join("");
    for (const [octets, status] of [
      [`GET / HTTP/1.1\r\nhost: x\r\n${flood}\r\n`, 431],
      ["\u0016\u0003\u0001 hello\r\n\r\n", 400],
      ["GET / HTTP/1.1\r\ncontent-length: x\r\n\r\n", 400],
      ["GET / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\ncontent-length: 5\r\n\r\n", 400],
    ] as const) {
      const answer = await sendOctets(octets);
      expect(answer.startsWith(`HTTP/1.1 ${status} `)).toBe(true);
      expect(JSON.parse(answer.slice(answer.indexOf("{")))).toMatchObject({ message: expect.any(String) as string });
    }
  });

  test("that says nothing holds up nobody", async () => {
    const silent: Socket[] = await Promise.all(
      Array.from(
        { length: 200 },
        () =>
          new Promise<Socket>((resolve, reject) => {
            const socket = connect(port(), "127.0.0.1", () => resolve(socket));
            socket.on("error", reject);
          }),
      ),
    );
    await client.send(new ListThingsCommand({}));
    for (const socket of silent)
      socket
        .removeAllListeners("error")
        .on("error", () => {})
        .destroy();
  });
});

test("what the API gives away once is in no line of the log", async () => {
  const { keyPair, certificatePem } = await client.send(new CreateKeysAndCertificateCommand({}));
  const line = (keyPair?.PrivateKey ?? "").split("\n")[3] ?? "";
  expect(line.length).toBeGreaterThan(40);
  for (const secret of ["PRIVATE KEY", line, certificatePem ?? "", plane.administrator.secretAccessKey, "Signature="]) {
    expect(plane.log).not.toContain(secret);
  }
});
