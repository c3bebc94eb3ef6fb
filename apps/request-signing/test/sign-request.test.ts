import { expect, test } from "vitest";
import { signRequest } from "../src/index.ts";

/** The key of AWS's published test suite for Signature Version 4. */
const key = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY" };
const where = { region: "us-east-1", service: "service", date: new Date("2015-08-30T12:36:00Z") };

// The names are those of the suite's cases.
test.each([
  ["get-vanilla", "GET", "/", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"],
  ["post-vanilla", "POST", "/", "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"],
  [
    "get-vanilla-query-order-key-case",
    "GET",
    "/?Param2=value2&Param1=value1",
    "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
  ],
])("the signature of %s is the published one", async (_name, method, path, signature) => {
  const { authorization } = await signRequest(
    { ...where, method, url: new URL(path, "https://example.amazonaws.com") },
    key,
  );
  expect(authorization).toBe(
    "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, " +
      `SignedHeaders=host;x-amz-date, Signature=${signature}`,
  );
});

test("the token of a session is sent and signed", async () => {
  const url = new URL("https://example.amazonaws.com/");
  const headers = await signRequest({ ...where, method: "GET", url }, { ...key, sessionToken: "token/with+signs=" });
  expect(headers["x-amz-security-token"]).toBe("token/with+signs=");
  expect(headers["authorization"]).toContain("SignedHeaders=host;x-amz-date;x-amz-security-token,");
});

test("another body, path, query or secret is another signature", async () => {
  const url = (path: string): URL => new URL(path, "https://example.amazonaws.com");
  const request = { ...where, method: "POST", url: url("/a?b=1&b=2"), body: "{}" };
  const all = await Promise.all([
    signRequest(request, key),
    signRequest({ ...request, body: "{ }" }, key),
    signRequest({ ...request, url: url("/a?b=1") }, key),
    signRequest({ ...request, url: url("/A?b=1&b=2") }, key),
    signRequest(request, { ...key, secretAccessKey: "another" }),
  ]);
  expect(new Set(all.map(({ authorization }) => authorization)).size).toBe(5);
});
