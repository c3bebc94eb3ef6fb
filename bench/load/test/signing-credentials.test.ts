import { expect, test } from "vitest";
import { environmentCredentials } from "../src/signing-credentials.ts";

test("without a whole key nothing is signed; the region is the environment's", () => {
  expect(environmentCredentials({ AWS_ACCESS_KEY_ID: "AKIDEXAMPLE" })).toBeUndefined();
  const keys = { AWS_ACCESS_KEY_ID: "a", AWS_SECRET_ACCESS_KEY: "b" };
  expect(environmentCredentials({ ...keys, AWS_DEFAULT_REGION: "eu-west-1" })).toMatchObject({ region: "eu-west-1" });
  expect(environmentCredentials(keys)).toMatchObject({ region: "us-east-1", service: "iot" });
});
