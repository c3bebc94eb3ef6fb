import { expect, test } from "vitest";
import { defaultScope as scope } from "../src/index.ts";
import { allow, Workshop } from "./workshop.ts";

const topic = (name: string): string => `arn:aws:iot:us-east-1:000000000000:topic/${name}`;

test("answers as life would, with what-if policies, and says why", async () => {
  await using workshop = await Workshop.open();
  const { registry } = workshop;
  const { id } = await workshop.activeDevice();
  await registry.policies.create(scope, "own", allow("iot:Publish", "topic/${iot:ClientId}"));
  await registry.policies.create(scope, "deny", allow("iot:Publish", "topic/lamp").replace("Allow", "Deny"));
  await registry.policies.attach(scope, "own", { kind: "cert", certificateId: id });
  const questions = [{ actionType: "PUBLISH", resources: [topic("lamp"), topic("other")] }] as const;
  const decide = (more: object = {}): string[] =>
    registry
      .testAuthorization(scope, { certificateId: id, clientIdentifier: "lamp", questions, ...more })
      .map((answer) => answer.authDecision);
  expect(decide()).toEqual(["ALLOWED", "IMPLICIT_DENY"]);
  expect(decide({ policyNamesToAdd: ["deny"] })).toEqual(["EXPLICIT_DENY", "IMPLICIT_DENY"]);
  expect(decide({ policyNamesToSkip: ["own"] })).toEqual(["IMPLICIT_DENY", "IMPLICIT_DENY"]);
  const [, refused] = registry.testAuthorization(scope, { certificateId: id, clientIdentifier: "lamp", questions });
  expect(refused?.explanation.sentence).not.toBe("");
  expect(() => decide({ policyNamesToAdd: ["none"] })).toThrow(
    expect.objectContaining({ code: "ERR_REGISTRY_NOT_FOUND" }),
  );
  expect(() => decide({ certificateId: "0".repeat(64) })).toThrow(
    expect.objectContaining({ code: "ERR_REGISTRY_NOT_FOUND" }),
  );
  for (const count of [0, 11]) {
    const many = Array.from({ length: count }, () => questions[0]);
    expect(() => decide({ questions: many })).toThrow(expect.objectContaining({ code: "ERR_REGISTRY_INVALID" }));
  }
});
