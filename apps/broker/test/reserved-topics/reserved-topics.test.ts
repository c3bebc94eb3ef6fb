/** Fleet provisioning over MQTT, from a claim certificate to a device of its own, and what else is published to reserved topics. */

import { createPrivateKey, X509Certificate } from "node:crypto";
import {
  CreatePolicyCommand,
  CreateProvisioningTemplateCommand,
  DescribeThingCommand,
  ListAttachedPoliciesCommand,
} from "@aws-sdk/client-iot";
import { connectAsync, type MqttClient } from "mqtt";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makeRequestPem } from "../control-plane/identities.ts";
import { RunningControlPlane } from "../control-plane/running-control-plane.ts";
import { allow, makeDevice, type DeviceIdentity } from "../data-plane/device-identity.ts";

const template = {
  Parameters: { SerialNumber: { Type: "String" }, "AWS::IoT::Certificate::Id": { Type: "String" } },
  Resources: {
    thing: {
      Type: "AWS::IoT::Thing",
      Properties: { ThingName: { "Fn::Join": ["", ["button_", { Ref: "SerialNumber" }]] } },
    },
    certificate: {
      Type: "AWS::IoT::Certificate",
      Properties: { CertificateId: { Ref: "AWS::IoT::Certificate::Id" }, Status: "Active" },
    },
    policy: { Type: "AWS::IoT::Policy", Properties: { PolicyName: "provisioned" } },
  },
};

let plane: RunningControlPlane;
let claim: DeviceIdentity;
let client: MqttClient;
beforeAll(async () => {
  plane = await RunningControlPlane.start();
  const iot = plane.client();
  const policyDocument = JSON.stringify({
    Version: "2012-10-17",
    Statement: [allow("iot:Connect", "client/${iot:Connection.Thing.ThingName}"), allow("iot:Publish", "topic/orders")],
  });
  await iot.send(new CreatePolicyCommand({ policyName: "provisioned", policyDocument }));
  await iot.send(
    new CreateProvisioningTemplateCommand({
      templateName: "buttons",
      templateBody: JSON.stringify(template),
      provisioningRoleArn: "arn:aws:iam::000000000000:role/provisioning",
      enabled: true,
    }),
  );
  claim = await makeDevice(plane, [
    allow("iot:Connect", "client/claim*"),
    allow("iot:Publish", "topic/$aws/*", "topic/$SYS/*", "topic/$own/*"),
    allow("iot:Receive", "topic/$aws/*", "topic/$own/*"),
    allow("iot:Subscribe", "topicfilter/$aws/*", "topicfilter/$own/*"),
  ]);
  client = await connected("claim");
});
afterAll(async () => {
  client.end(true);
  await plane[Symbol.asyncDispose]();
});

const connected = (clientId: string, { cert, key, ca }: DeviceIdentity = claim): Promise<MqttClient> =>
  connectAsync(`mqtts://localhost:${plane.mqttPort}`, {
    cert,
    key,
    ca,
    clientId,
    protocolVersion: 5,
    reconnectPeriod: 0,
  });

/** Publishes a request and gives the answer, which comes without a subscription. */
async function ask(
  topic: string,
  payload: object | string,
): Promise<{ readonly topic: string; readonly members: Record<string, string> }> {
  const answer = Promise.withResolvers<{ readonly topic: string; readonly members: Record<string, string> }>();
  client.once("message", (from, octets) =>
    answer.resolve({ topic: from, members: JSON.parse(octets.toString()) as Record<string, string> }),
  );
  await client.publishAsync(topic, typeof payload === "string" ? payload : JSON.stringify(payload), { qos: 1 });
  return answer.promise;
}

test("a device with a claim certificate gets a key pair, its thing and its policy, and connects as itself", async () => {
  const other = await connected("claim-other");
  const overheard: string[] = [];
  other.on("message", (topic) => overheard.push(topic));
  await other.subscribeAsync("$aws/certificates/create/json/accepted");

  const made = await ask("$aws/certificates/create/json", {});
  expect(made.topic).toBe("$aws/certificates/create/json/accepted");
  const { certificateId = "", certificatePem = "", privateKey = "", certificateOwnershipToken } = made.members;
  expect(new X509Certificate(certificatePem).checkPrivateKey(createPrivateKey(privateKey))).toBe(true);
  const device = { certificateId, cert: certificatePem, key: privateKey, ca: claim.ca };
  await expect(connected("button_G030JF050000AAAA", device)).rejects.toThrow(/Not authorized/i);

  const provisioned = await ask("$aws/provisioning-templates/buttons/provision/json", {
    certificateOwnershipToken,
    parameters: { SerialNumber: "G030JF050000AAAA" },
  });
  expect(provisioned).toMatchObject({
    topic: "$aws/provisioning-templates/buttons/provision/json/accepted",
    members: { thingName: "button_G030JF050000AAAA" },
  });
  const iot = plane.client();
  await iot.send(new DescribeThingCommand({ thingName: "button_G030JF050000AAAA" }));
  const target = `arn:aws:iot:us-east-1:000000000000:cert/${certificateId}`;
  const attached = await iot.send(new ListAttachedPoliciesCommand({ target }));
  expect(attached.policies?.map(({ policyName }) => policyName)).toEqual(["provisioned"]);
  const button = await connected("button_G030JF050000AAAA", device);
  await button.publishAsync("orders", "pizza", { qos: 1 });
  await button.endAsync();
  // The answer with the private key was for the device that asked alone, though another may receive that topic.
  expect(overheard).toEqual([]);
  await other.endAsync();
  expect(plane.log).not.toContain(privateKey.split("\n")[1]);
});

test("a certification request, and refusals on the topic rejected", async () => {
  const request = { certificateSigningRequest: makeRequestPem("claimed") };
  const made = await ask("$aws/certificates/create-from-csr/json", request);
  expect(made.topic).toBe("$aws/certificates/create-from-csr/json/accepted");
  expect(new X509Certificate(made.members["certificatePem"] ?? "").subject).toBe("CN=claimed");
  for (const [topic, payload] of [
    ["$aws/certificates/create/json", "no JSON"],
    ["$aws/certificates/create-from-csr/json", { certificateSigningRequest: "x" }],
    ["$aws/provisioning-templates/buttons/provision/json", { certificateOwnershipToken: "stolen" }],
    ["$aws/provisioning-templates/none/provision/json", { certificateOwnershipToken: "x" }],
  ] as const) {
    expect(await ask(topic, payload)).toMatchObject({
      topic: `${topic}/rejected`,
      members: { statusCode: expect.any(Number) as number },
    });
  }
});

test.each(["$aws/things/a/shadow/update", "$aws/certificates/create/json/accepted", "$SYS/broker/load"])(
  "nothing serves %s: it is refused, though the policy allows it",
  async (topic) => {
    await expect(client.publishAsync(topic, "x", { qos: 1 })).rejects.toThrow(/Topic Name Invalid/i);
  },
);

test("another topic with $ is a topic as any other", async () => {
  await client.subscribeAsync("$own/#", { qos: 1 });
  expect(await ask("$own/topic", { a: "b" })).toEqual({ topic: "$own/topic", members: { a: "b" } });
});
