import { SignatureV4 } from "@smithy/signature-v4";
import { expect, test } from "vitest";
import { environmentCredentials, signatureHeaders } from "../src/signature-v4.ts";
import { Sha256 } from "./sha256.ts";

/** The key of AWS's published test suite for Signature Version 4. */
const credentials = {
  accessKeyId: "AKIDEXAMPLE",
  secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
  sessionToken: undefined,
  region: "us-east-1",
  service: "service",
};
const suiteTime = new Date("2015-08-30T12:36:00Z");

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
])("the signature of %s is the published one", (_name, method, path, signature) => {
  const url = new URL(path, "https://example.amazonaws.com");
  const { authorization } = signatureHeaders(method, url, suiteTime, credentials);
  expect(authorization).toBe(
    "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, " +
      `SignedHeaders=host;x-amz-date, Signature=${signature}`,
  );
});

test.each([
  ["/certificates/0123?newStatus=INACTIVE"],
  ["/keys-and-certificate?setAsActive=true"],
  ["/things/a%20name!'()*/x?b=2&a=1&a-b=3&a=0&empty="],
  ["/?%E1%88%B4=bar"],
])("the AWS SDK signs %s in the same way, with a session's token and without", async (path) => {
  for (const sessionToken of [undefined, "token/with+signs="]) {
    const url = new URL(path, "http://127.0.0.1:8087");
    const { host: _host, ...headers } = signatureHeaders("PUT", url, suiteTime, { ...credentials, sessionToken });
    const { accessKeyId, secretAccessKey, region, service } = credentials;
    const signer = new SignatureV4({
      credentials: { accessKeyId, secretAccessKey, ...(sessionToken !== undefined && { sessionToken }) },
      ...{ region, service, sha256: Sha256, applyChecksum: false },
    });
    const query: Record<string, string | string[]> = {};
    for (const name of new Set(url.searchParams.keys())) query[name] = url.searchParams.getAll(name);
    const signed = await signer.sign(
      {
        ...{ method: "PUT", protocol: "http:", hostname: url.hostname, port: Number(url.port), path: url.pathname },
        ...{ query, headers: { host: url.host } },
      },
      { signingDate: suiteTime },
    );
    expect(headers["authorization"]).toBe(signed.headers["authorization"]);
    expect(headers["x-amz-security-token"]).toBe(sessionToken);
  }
});

test("without a key nothing is signed; the region is the environment's", () => {
  expect(environmentCredentials({ AWS_ACCESS_KEY_ID: "AKIDEXAMPLE" })).toBeUndefined();
  expect(signatureHeaders("GET", new URL("http://127.0.0.1/"), suiteTime, undefined)).toEqual({});
  const keys = { AWS_ACCESS_KEY_ID: "a", AWS_SECRET_ACCESS_KEY: "b" };
  expect(environmentCredentials({ ...keys, AWS_DEFAULT_REGION: "eu-west-1" })).toMatchObject({ region: "eu-west-1" });
  expect(environmentCredentials(keys)).toMatchObject({ region: "us-east-1", service: "iot" });
});
