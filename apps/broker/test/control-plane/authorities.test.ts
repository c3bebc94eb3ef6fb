/** Certificate authorities, and certificates that they have signed. */

import {
  CreateProvisioningTemplateCommand,
  DeleteCACertificateCommand,
  DeleteRegistrationCodeCommand,
  DescribeCACertificateCommand,
  DescribeCertificateCommand,
  GetRegistrationCodeCommand,
  ListCACertificatesCommand,
  ListCertificatesByCACommand,
  ListTagsForResourceCommand,
  paginateListCACertificates,
  RegisterCACertificateCommand,
  RegisterCertificateCommand,
  UpdateCACertificateCommand,
  type IoTClient,
} from "@aws-sdk/client-iot";
import { certificateToPem, type CertificateIssuer } from "@latchkey/x509";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { makeAuthority, makeCertificatePem } from "./identities.ts";
import { expectException, RunningControlPlane } from "./running-control-plane.ts";

let plane: RunningControlPlane;
let client: IoTClient;
beforeAll(async () => {
  plane = await RunningControlPlane.start();
  client = plane.client();
});
afterAll(() => plane[Symbol.asyncDispose]());

const unknownId = "0".repeat(64);
let names = 0;
const freshAuthority = (): CertificateIssuer => makeAuthority(`CA ${names++}`);
const code = async (): Promise<string> =>
  (await client.send(new GetRegistrationCodeCommand({}))).registrationCode ?? "";

async function register(authority: CertificateIssuer, more: object = {}): Promise<string> {
  const { certificateId = "" } = await client.send(
    new RegisterCACertificateCommand({
      caCertificate: certificateToPem(authority.certificate),
      verificationCertificate: makeCertificatePem(authority, { commonName: await code() }),
      setAsActive: true,
      ...more,
    }),
  );
  return certificateId;
}

describe("RegisterCACertificate", () => {
  test("with the registration code is proof of the key; without setAsActive it is INACTIVE", async () => {
    const authority = freshAuthority();
    const id = await register(authority, { setAsActive: undefined, tags: [{ Key: "höhe", Value: "10 m" }] });
    const { certificateDescription, registrationConfig } = await client.send(
      new DescribeCACertificateCommand({ certificateId: id }),
    );
    expect(certificateDescription).toMatchObject({
      certificateId: id,
      certificateArn: `arn:aws:iot:us-east-1:000000000000:cacert/${id}`,
      status: "INACTIVE",
      autoRegistrationStatus: "DISABLE",
      certificateMode: "DEFAULT",
      ownedBy: "000000000000",
      customerVersion: 1,
      creationDate: expect.any(Date) as Date,
    });
    expect(registrationConfig).toBeUndefined();
    const { certificateArn: resourceArn } = certificateDescription ?? {};
    expect((await client.send(new ListTagsForResourceCommand({ resourceArn }))).tags).toEqual([
      { Key: "höhe", Value: "10 m" },
    ]);
    const again = await expectException(register(authority), "ResourceAlreadyExistsException", 409);
    expect(again).toMatchObject({ resourceId: id, resourceArn });
  });

  test("of another authority's signature, of no authority and of no certificate is CertificateValidationException", async () => {
    const authority = freshAuthority();
    const verificationCertificate = makeCertificatePem(freshAuthority(), { commonName: await code() });
    await expectException(register(authority, { verificationCertificate }), "CertificateValidationException", 400);
    const caCertificate = makeCertificatePem(authority);
    await expectException(register(authority, { caCertificate }), "CertificateValidationException", 400);
    await expectException(register(authority, { caCertificate: "abc" }), "CertificateValidationException", 400);
  });

  test("with another code is RegistrationCodeValidationException", async () => {
    const authority = freshAuthority();
    const verificationCertificate = makeCertificatePem(authority, { commonName: "f".repeat(64) });
    const call = register(authority, { verificationCertificate });
    await expectException(call, "RegistrationCodeValidationException", 400);
  });

  test("in SNI_ONLY mode takes no proof", async () => {
    const authority = freshAuthority();
    await expectException(register(authority, { certificateMode: "SNI_ONLY" }), "InvalidRequestException", 400);
    const id = await register(authority, { certificateMode: "SNI_ONLY", verificationCertificate: undefined });
    const described = await client.send(new DescribeCACertificateCommand({ certificateId: id }));
    expect(described.certificateDescription?.certificateMode).toBe("SNI_ONLY");
  });

  test("an eleventh of one subject is LimitExceededException", async () => {
    for (let count = 0; count < 10; count++) await register(makeAuthority("The same"));
    await expectException(register(makeAuthority("The same")), "LimitExceededException", 410);
  });

  test("with a provisioning template that does not exist is ResourceNotFoundException", async () => {
    const registrationConfig = { templateName: "none" };
    await expectException(register(freshAuthority(), { registrationConfig }), "ResourceNotFoundException", 404);
  });
});

describe("UpdateCACertificate and DeleteCACertificate", () => {
  test("status and automatic registration change by query, its configuration by body", async () => {
    await client.send(
      new CreateProvisioningTemplateCommand({
        templateName: "jitp",
        type: "JITP",
        provisioningRoleArn: "arn:aws:iam::000000000000:role/provisioning",
        templateBody: JSON.stringify({
          Parameters: { "AWS::IoT::Certificate::Id": { Type: "String" } },
          Resources: {
            certificate: {
              Type: "AWS::IoT::Certificate",
              Properties: { CertificateId: { Ref: "AWS::IoT::Certificate::Id" }, Status: "ACTIVE" },
            },
          },
        }),
      }),
    );
    const certificateId = await register(freshAuthority(), { allowAutoRegistration: true });
    const registrationConfig = { templateName: "jitp", roleArn: "arn:aws:iam::000000000000:role/provisioning" };
    await client.send(new UpdateCACertificateCommand({ certificateId, registrationConfig }));
    expect(await client.send(new DescribeCACertificateCommand({ certificateId }))).toMatchObject({
      certificateDescription: { status: "ACTIVE", autoRegistrationStatus: "ENABLE", customerVersion: 2 },
      registrationConfig,
    });
    expect((await client.send(new ListCACertificatesCommand({ templateName: "jitp" }))).certificates).toMatchObject([
      { certificateId },
    ]);
    await expectException(
      client.send(new DeleteCACertificateCommand({ certificateId })),
      "CertificateStateException",
      406,
    );
    await client.send(
      new UpdateCACertificateCommand({ certificateId, newStatus: "INACTIVE", newAutoRegistrationStatus: "DISABLE" }),
    );
    await client.send(new UpdateCACertificateCommand({ certificateId, removeAutoRegistration: true }));
    const described = await client.send(new DescribeCACertificateCommand({ certificateId }));
    expect(described).toMatchObject({
      certificateDescription: { status: "INACTIVE", autoRegistrationStatus: "DISABLE" },
    });
    expect(described.registrationConfig).toBeUndefined();
    await client.send(new DeleteCACertificateCommand({ certificateId }));
    const describe_ = client.send(new DescribeCACertificateCommand({ certificateId }));
    await expectException(describe_, "ResourceNotFoundException", 404);
  });

  test("of one that does not exist, and with a status that there is not", async () => {
    const certificateId = unknownId;
    const update = (newStatus: string): Promise<unknown> =>
      client.send(new UpdateCACertificateCommand({ certificateId, newStatus: newStatus as "ACTIVE" }));
    await expectException(update("ACTIVE"), "ResourceNotFoundException", 404);
    await expectException(update("REVOKED"), "InvalidRequestException", 400);
    await expectException(
      client.send(new DeleteCACertificateCommand({ certificateId })),
      "ResourceNotFoundException",
      404,
    );
  });
});

describe("RegisterCertificate", () => {
  test("of a registered authority; again, and of an INACTIVE one", async () => {
    const authority = freshAuthority();
    const caCertificateId = await register(authority);
    const certificatePem = makeCertificatePem(authority);
    const made = await client.send(new RegisterCertificateCommand({ certificatePem, setAsActive: true }));
    const { certificateDescription } = await client.send(
      new DescribeCertificateCommand({ certificateId: made.certificateId }),
    );
    expect(certificateDescription).toMatchObject({ status: "ACTIVE", caCertificateId });
    const { certificates } = await client.send(new ListCertificatesByCACommand({ caCertificateId }));
    expect(certificates).toMatchObject([{ certificateId: made.certificateId }]);
    const again = client.send(new RegisterCertificateCommand({ certificatePem }));
    await expectException(again, "ResourceAlreadyExistsException", 409);
    await client.send(new UpdateCACertificateCommand({ certificateId: caCertificateId, newStatus: "INACTIVE" }));
    const late = client.send(new RegisterCertificateCommand({ certificatePem: makeCertificatePem(authority) }));
    await expectException(late, "CertificateStateException", 406);
  });

  test("of two authorities of one name needs caCertificatePem; a wrong one is CertificateValidationException", async () => {
    const [one, two] = [makeAuthority("Twins"), makeAuthority("Twins")];
    await register(one);
    await register(two);
    const certificatePem = makeCertificatePem(one);
    const call = (authority?: CertificateIssuer): Promise<unknown> =>
      client.send(
        new RegisterCertificateCommand({
          certificatePem,
          caCertificatePem: authority && certificateToPem(authority.certificate),
        }),
      );
    await expectException(call(), "CertificateConflictException", 409);
    await expectException(call(two), "CertificateValidationException", 400);
    await expectException(call(freshAuthority()), "CertificateValidationException", 400);
    await call(one);
  });
});

describe("lists and codes", () => {
  test("the list comes to its end, in both orders", async () => {
    const walk = async (ascendingOrder: boolean): Promise<(string | undefined)[]> => {
      const ids: (string | undefined)[] = [];
      for await (const page of paginateListCACertificates({ client, pageSize: 4 }, { ascendingOrder })) {
        ids.push(...(page.certificates ?? []).map((one) => one.certificateId));
      }
      return ids;
    };
    const ascending = await walk(true);
    expect(ascending.length).toBeGreaterThan(12);
    expect(new Set(ascending).size).toBe(ascending.length);
    expect(await walk(false)).toEqual(ascending.toReversed());
  });

  test("the registration code stays until it is deleted", async () => {
    const first = await code();
    expect(first).toMatch(/^[0-9a-f]{64}$/);
    expect(await code()).toBe(first);
    await client.send(new DeleteRegistrationCodeCommand({}));
    await expectException(client.send(new DeleteRegistrationCodeCommand({})), "ResourceNotFoundException", 404);
    expect(await code()).not.toBe(first);
  });
});
