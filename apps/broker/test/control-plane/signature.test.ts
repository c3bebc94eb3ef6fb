/** Who may call: signatures, keys, scopes, clocks. */

import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import {
  CreateThingCommand,
  DescribeThingCommand,
  ListThingsCommand,
  TestAuthorizationCommand,
} from "@aws-sdk/client-iot";
import { findProgram, runProgram } from "@latchkey/tooling-vitest/programs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { expectException, RunningControlPlane } from "./running-control-plane.ts";
import { presigned, send, signed, type Answer, type SigningOptions } from "./signed-request.ts";

let plane: RunningControlPlane;
let key: SigningOptions["key"];
beforeAll(async () => {
  plane = await RunningControlPlane.start();
  key = plane.administrator;
  await plane.client().send(new CreateThingCommand({ thingName: "lamp" }));
});
afterAll(() => plane[Symbol.asyncDispose]());

const minute = 60_000;
const at = (offsetMs: number): Date => new Date(Date.now() + offsetMs);
const things = (): string => `${plane.url}/things`;
const refusal = (answer: Answer, status: number, errorType: string): void => {
  expect(answer).toMatchObject({ status, errorType });
  expect(JSON.parse(answer.body)).toMatchObject({ __type: errorType, message: expect.any(String) as string });
};

describe("a request that is signed", () => {
  test.each(["iot", "iotdata", "iotdevicegateway", "execute-api"])("for %s is answered", async (service) => {
    expect(await send(await signed({ url: things() }, { key, service }))).toMatchObject({ status: 200 });
    expect(await send(await presigned({ url: things() }, { key, service }))).toMatchObject({ status: 200 });
  });

  test("with the path encoded twice, a query in any order and spaces in a header is answered", async () => {
    const url = `${plane.url}/thing-types?thingTypeName=x%20y&nextToken=MS5h%2F&maxResults=7`;
    const answer = await send(await signed({ url, headers: { "x-amz-user-agent": "a   b" } }, { key }));
    // The name has a space, which no thing type's has: that it is looked at means that the signature was right.
    refusal(answer, 400, "InvalidRequestException");
  });

  test.each([
    ["4 minutes ago", -4 * minute],
    ["by a clock that is 4 minutes ahead", 4 * minute],
  ])("%s is answered", async (_, offset) => {
    expect(await send(await signed({ url: things() }, { key, date: at(offset) }))).toMatchObject({ status: 200 });
  });

  test.each([
    ["6 minutes ago", -6 * minute, /^Signature expired/],
    ["by a clock that is 6 minutes ahead", 6 * minute, /^Signature not yet current/],
  ])("%s is refused", async (_, offset, message) => {
    const answer = await send(await signed({ url: things() }, { key, date: at(offset) }));
    refusal(answer, 403, "InvalidSignatureException");
    expect((JSON.parse(answer.body) as { message: string }).message).toMatch(message);
  });

  test("and sent by curl is answered", async ({ skip }) => {
    const curl = findProgram("curl");
    if (curl.path === undefined) return skip(curl.skipReason);
    const words = ["-s", "--aws-sigv4", "aws:amz:us-east-1:iot", "--user", `${key.accessKeyId}:${key.secretAccessKey}`];
    const { stdout } = await runProgram(curl.path, [...words, `${plane.url}/things/lamp`]);
    expect(JSON.parse(stdout)).toMatchObject({ thingName: "lamp" });
  });
});

describe("a request that was changed on its way", () => {
  const body = JSON.stringify({ thingTypeName: "a" });
  const url = (): string => `${plane.url}/things/lamp/principals`;
  const principal = "arn:aws:iot:us-east-1:000000000000:cert/" + "a".repeat(64);
  const request = async (): Promise<Request> =>
    signed({ url: url(), method: "PUT", headers: { "x-amzn-principal": principal }, body }, { key });
  const changed = async (change: (request: Request) => Request): Promise<void> =>
    refusal(await send(change(await request())), 403, "InvalidSignatureException");
  const withHeader = (before: Request, name: string, value: string): Request => {
    const headers = new Headers(before.headers);
    headers.set(name, value);
    return new Request(before.url, { method: before.method, headers, body });
  };

  test("is answered before the change", async () => {
    refusal(await send(await request()), 404, "ResourceNotFoundException");
  });
  test("in its method", () => changed(({ headers }) => new Request(url(), { method: "POST", headers, body })));
  test("in its path", () =>
    changed(({ headers }) => new Request(`${plane.url}/things/lamq/principals`, { method: "PUT", headers, body })));
  test("in its query", () =>
    changed(
      ({ headers }) => new Request(`${url()}?thingPrincipalType=EXCLUSIVE_THING`, { method: "PUT", headers, body }),
    ));
  test("in its body", () => changed(({ headers }) => new Request(url(), { method: "PUT", headers, body: `${body} ` })));
  test("in its principal", () =>
    changed((before) => withHeader(before, "x-amzn-principal", `${principal.slice(0, -1)}b`)));
  test("in its date", () =>
    changed((before) => {
      const date = before.headers.get("x-amz-date") ?? "";
      return withHeader(
        before,
        "x-amz-date",
        date.replace(/\dZ$/, (end) => (end === "0Z" ? "1Z" : "0Z")),
      );
    }));
  test("by a header with a meaning that was not signed", () =>
    changed((before) => withHeader(before, "x-amzn-iot-principal", principal)));
  test("in the hash of its body", () =>
    changed((before) => withHeader(before, "x-amz-content-sha256", "0".repeat(64))));

  test("from a hash to none of its body is refused", async () => {
    const unsignedPayload = await signed(
      {
        url: url(),
        method: "PUT",
        headers: { "x-amzn-principal": principal, "x-amz-content-sha256": "UNSIGNED-PAYLOAD" },
        body,
      },
      { key },
    );
    refusal(await send(unsignedPayload), 403, "InvalidSignatureException");
  });
});

describe("a presigned request", () => {
  test("can be sent again until it expires, and not after", async () => {
    const url = await presigned({ url: `${things()}/lamp` }, { key, expiresIn: 60 });
    expect(await send(url)).toMatchObject({ status: 200 });
    expect(await send(url)).toMatchObject({ status: 200 });
    const old = await presigned({ url: `${things()}/lamp` }, { key, expiresIn: 60, date: at(-2 * minute) });
    refusal(await send(old), 403, "InvalidSignatureException");
    refusal(await send(old.replace("X-Amz-Expires=60", "X-Amz-Expires=600")), 403, "InvalidSignatureException");
  });

  test("is for its own path, method and query", async () => {
    const url = await presigned({ url: `${things()}/lamp` }, { key });
    refusal(await send(url.replace("lamp", "lamq")), 403, "InvalidSignatureException");
    refusal(await send(new Request(url, { method: "DELETE" })), 403, "InvalidSignatureException");
    refusal(await send(`${url}&expectedVersion=1`), 403, "InvalidSignatureException");
    expect(await plane.client().send(new DescribeThingCommand({ thingName: "lamp" }))).toMatchObject({
      thingName: "lamp",
    });
  });
});

describe("a request is refused", () => {
  const broken = async (change: (headers: Headers) => void): Promise<Answer> => {
    const { url, headers } = await signed({ url: things() }, { key });
    const changed = new Headers(headers);
    change(changed);
    return send(new Request(url, { headers: changed }));
  };
  const authorization = (from: string | RegExp, to: string) => (headers: Headers) =>
    headers.set("authorization", (headers.get("authorization") ?? "").replace(from, to));

  test("without a signature", async () => {
    refusal(await send(things()), 403, "MissingAuthenticationTokenException");
  });
  test.each([
    ["another algorithm", authorization("AWS4-HMAC-SHA256", "AWS4-HMAC-SHA1"), "IncompleteSignatureException"],
    ["no signed headers", authorization(/SignedHeaders=[^,]*, /, ""), "IncompleteSignatureException"],
    ["a short signature", authorization(/.{8}$/, ""), "IncompleteSignatureException"],
    ["a date of another day in the scope", authorization(/\/\d{8}\//, "/20200101/"), "InvalidSignatureException"],
    ["another service", authorization("/iot/", "/s3/"), "InvalidSignatureException"],
    [
      "a signed header that is not there",
      authorization("SignedHeaders=", "SignedHeaders=accept-x;"),
      "InvalidSignatureException",
    ],
    ["the host not signed", authorization("host;", ""), "InvalidSignatureException"],
    ["one digit changed", authorization(/.$/, "g"), "IncompleteSignatureException"],
    ["no date", (headers: Headers) => headers.delete("x-amz-date"), "IncompleteSignatureException"],
    ["a session token", (headers: Headers) => headers.set("x-amz-security-token", "t"), "UnrecognizedClientException"],
    [
      "basic authentication",
      (headers: Headers) => headers.set("authorization", "Basic YTpi"),
      "IncompleteSignatureException",
    ],
  ])("with %s", async (_, change, errorType) => {
    refusal(await broken(change), 403, errorType);
  });

  test("with a signature in the header and in the query", async () => {
    const { headers } = await signed({ url: things() }, { key });
    const url = await presigned({ url: things() }, { key });
    refusal(await send(new Request(url, { headers })), 403, "IncompleteSignatureException");
  });

  test("with a key that does not exist, a wrong secret, or for another region", async () => {
    const unknown = { ...key, accessKeyId: "LKIAAAAAAAAAAAAAAAAA" };
    await expectException(plane.client(unknown).send(new ListThingsCommand({})), "UnrecognizedClientException", 403);
    const wrong = { ...key, secretAccessKey: `${key.secretAccessKey.slice(0, -1)}!` };
    await expectException(plane.client(wrong).send(new ListThingsCommand({})), "InvalidSignatureException", 403);
    refusal(
      await send(await signed({ url: things() }, { key, region: "eu-west-1" })),
      403,
      "InvalidSignatureException",
    );
  });
});

describe("access keys", () => {
  const path = "/latchkey/access-keys";
  const call = async (
    method: string,
    more = "",
    body?: object,
    by: SigningOptions["key"] = key,
  ): Promise<{ status: number; errorType: string | null; value: Record<string, unknown> }> => {
    const text = body === undefined ? undefined : JSON.stringify(body);
    const request = { url: `${plane.url}${path}${more}`, method, ...(text !== undefined && { body: text }) };
    const answer = await send(await signed(request, { key: by }));
    return { ...answer, value: answer.body === "" ? {} : (JSON.parse(answer.body) as Record<string, unknown>) };
  };
  const create = async (accessScope: string): Promise<{ accessKeyId: string; secretAccessKey: string }> => {
    const { value } = await call("POST", "", { accessScope, description: "ci ü" });
    return value["accessKey"] as { accessKeyId: string; secretAccessKey: string };
  };

  test("a reader reads, and changes nothing", async () => {
    const reader = await create("reader");
    const client = plane.client(reader);
    await client.send(new DescribeThingCommand({ thingName: "lamp" }));
    await expectException(client.send(new CreateThingCommand({ thingName: "x" })), "AccessDeniedException", 403);
    const question = { principal: "p", authInfos: [{ actionType: "CONNECT" as const, resources: ["*"] }] };
    // POST, but it reads: it is refused for its principal, not for its scope.
    await expectException(client.send(new TestAuthorizationCommand(question)), "InvalidRequestException", 400);
    expect(await call("GET", "", undefined, reader)).toMatchObject({ status: 403, errorType: "AccessDeniedException" });
    expect(await call("POST", "", { accessScope: "administrator" }, reader)).toMatchObject({ status: 403 });
  });

  test("are listed without their secrets, and do nothing from the moment they are revoked", async () => {
    const made = await create("administrator");
    await plane.client(made).send(new ListThingsCommand({}));
    const listed = await call("GET");
    expect(JSON.stringify(listed.value)).not.toContain(made.secretAccessKey);
    expect(listed.value["accessKeys"]).toContainEqual({
      accessKeyId: made.accessKeyId,
      accessScope: "administrator",
      account: "000000000000",
      description: "ci ü",
      createdAtSeconds: expect.any(Number) as number,
    });
    expect(await call("DELETE", `/${made.accessKeyId}`)).toMatchObject({ status: 200 });
    await expectException(plane.client(made).send(new ListThingsCommand({})), "UnrecognizedClientException", 403);
    expect(await call("DELETE", `/${made.accessKeyId}`)).toMatchObject({
      status: 404,
      errorType: "ResourceNotFoundException",
    });
  });

  test("the last administrator stays", async () => {
    expect(await call("DELETE", `/${key.accessKeyId}`)).toMatchObject({
      status: 409,
      errorType: "DeleteConflictException",
    });
  });

  test("are kept in a file for its owner only, and are in no line of the log", async () => {
    const made = await create("reader");
    const file = join(plane.directory, "access-keys.json");
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readFileSync(file, "utf8")).toContain(made.secretAccessKey);
    for (const secret of [made.secretAccessKey, key.secretAccessKey, "Signature=", "X-Amz-Signature"]) {
      expect(plane.log).not.toContain(secret);
    }
    expect(plane.log).toContain(made.accessKeyId.slice(0, 4));
  });
});

test("after many refusals an address is throttled, and one who signs rightly is not held up", async () => {
  let last: Answer | undefined;
  for (let round = 0; round < 200 && last?.errorType !== "ThrottlingException"; round++) last = await send(things());
  refusal(last ?? { status: 0, errorType: "", body: "{}" }, 400, "ThrottlingException");
  await plane.client().send(new ListThingsCommand({}));
});
