/** Certificates over the API, each operation in its success form and in every exception that it can have. */

import { createPrivateKey, createPublicKey, X509Certificate } from "node:crypto";
import {
  AcceptCertificateTransferCommand,
  AttachPolicyCommand,
  AttachThingPrincipalCommand,
  CancelCertificateTransferCommand,
  CreateCertificateFromCsrCommand,
  CreateKeysAndCertificateCommand,
  CreatePolicyCommand,
  CreateThingCommand,
  DeleteCertificateCommand,
  DescribeCertificateCommand,
  DetachThingPrincipalCommand,
  ListAttachedPoliciesCommand,
  ListCertificatesByCACommand,
  ListCertificatesCommand,
  ListOutgoingCertificatesCommand,
  paginateListCertificates,
  RegisterCertificateCommand,
  RegisterCertificateWithoutCACommand,
  RejectCertificateTransferCommand,
  TransferCertificateCommand,
  UpdateCertificateCommand,
  type IoTClient,
} from "@aws-sdk/client-iot";
import { beforeAll, afterAll, describe, expect, test } from "vitest";
import { allowEverything, makeAuthority, makeCertificatePem, makeRequestPem } from "./identities.ts";
import { expectException, RunningControlPlane } from "./running-control-plane.ts";

let plane: RunningControlPlane;
let client: IoTClient;
beforeAll(async () => {
  plane = await RunningControlPlane.start();
  client = plane.client();
});
afterAll(() => plane[Symbol.asyncDispose]());

const unknownId = "0".repeat(64);
const newCertificate = async (setAsActive = false): Promise<{ id: string; arn: string }> => {
  const made = await client.send(
    new CreateCertificateFromCsrCommand({ certificateSigningRequest: makeRequestPem("device"), setAsActive }),
  );
  return { id: made.certificateId ?? "", arn: made.certificateArn ?? "" };
};
const statusOf = async (id: string): Promise<string | undefined> =>
  (await client.send(new DescribeCertificateCommand({ certificateId: id }))).certificateDescription?.status;

describe("CreateKeysAndCertificate", () => {
  test("gives a key pair that belongs to the certificate, in AWS's forms", async () => {
    const made = await client.send(new CreateKeysAndCertificateCommand({ setAsActive: true }));
    const certificate = new X509Certificate(made.certificatePem ?? "");
    expect(made.certificateId).toBe(certificate.fingerprint256.replaceAll(":", "").toLowerCase());
    expect(made.certificateArn).toBe(`arn:aws:iot:us-east-1:000000000000:cert/${made.certificateId}`);
    expect(made.keyPair?.PrivateKey).toMatch(/^-----BEGIN RSA PRIVATE KEY-----/);
    const privateKey = createPrivateKey(made.keyPair?.PrivateKey ?? "");
    expect(certificate.checkPrivateKey(privateKey)).toBe(true);
    expect(createPublicKey(made.keyPair?.PublicKey ?? "").equals(createPublicKey(privateKey))).toBe(true);
    expect(certificate.subject).toBe("CN=AWS IoT Certificate");
    expect(certificate.validTo).toBe("Dec 31 23:59:59 2049 GMT");
    expect(await statusOf(made.certificateId ?? "")).toBe("ACTIVE");
  });

  test("is INACTIVE unless setAsActive says otherwise, which stands in the query", async () => {
    const made = await client.send(new CreateKeysAndCertificateCommand({}));
    expect(await statusOf(made.certificateId ?? "")).toBe("INACTIVE");
  });
});

describe("CreateCertificateFromCsr", () => {
  test("keeps the subject, makes another certificate each time, and active where it is asked to", async () => {
    const certificateSigningRequest = makeRequestPem("Ünïcode \u{1F511} 鍵");
    const command = { certificateSigningRequest, setAsActive: true };
    const one = await client.send(new CreateCertificateFromCsrCommand(command));
    const two = await client.send(new CreateCertificateFromCsrCommand(command));
    expect(new X509Certificate(one.certificatePem ?? "").subject).toBe("CN=Ünïcode \u{1F511} 鍵");
    expect(one.certificateId).not.toBe(two.certificateId);
    expect(await statusOf(two.certificateId ?? "")).toBe("ACTIVE");
  });

  test.each([
    ["no PEM", "abc"],
    ["a certificate instead", () => makeCertificatePem(makeAuthority("x"))],
    ["a broken signature", () => makeRequestPem("d").replace(/.{12}(?=\n-----END)/, "AAAAAAAAAAAA")],
    ["more than 4,096 characters", () => makeRequestPem("d") + "\n".repeat(4096)],
  ])("%s is InvalidRequestException", async (_, given) => {
    const certificateSigningRequest = typeof given === "string" ? given : given();
    await expectException(
      client.send(new CreateCertificateFromCsrCommand({ certificateSigningRequest })),
      "InvalidRequestException",
      400,
    );
  });
});

describe("RegisterCertificate", () => {
  test("without a registered authority is CertificateValidationException", async () => {
    const certificatePem = makeCertificatePem(makeAuthority("nobody"));
    await expectException(
      client.send(new RegisterCertificateCommand({ certificatePem })),
      "CertificateValidationException",
      400,
    );
  });

  test("of something else is CertificateValidationException", async () => {
    await expectException(
      client.send(new RegisterCertificateCommand({ certificatePem: "abc" })),
      "CertificateValidationException",
      400,
    );
  });
});

describe("RegisterCertificateWithoutCA", () => {
  test("registers, once; a second time the exception names the first", async () => {
    const certificatePem = makeCertificatePem(makeAuthority("own"));
    const made = await client.send(new RegisterCertificateWithoutCACommand({ certificatePem, status: "ACTIVE" }));
    const { certificateDescription } = await client.send(
      new DescribeCertificateCommand({ certificateId: made.certificateId }),
    );
    expect(certificateDescription).toMatchObject({
      status: "ACTIVE",
      certificateMode: "SNI_ONLY",
      ownedBy: "000000000000",
      customerVersion: 1,
      validity: { notBefore: expect.any(Date) as Date, notAfter: expect.any(Date) as Date },
      creationDate: expect.any(Date) as Date,
    });
    expect(certificateDescription?.caCertificateId).toBeUndefined();
    expect(certificateDescription?.certificatePem?.trim()).toBe(certificatePem.trim());
    const error = await expectException(
      client.send(new RegisterCertificateWithoutCACommand({ certificatePem })),
      "ResourceAlreadyExistsException",
      409,
    );
    expect(error).toMatchObject({ resourceId: made.certificateId, resourceArn: made.certificateArn });
  });

  test("of an expired certificate is CertificateValidationException", async () => {
    const certificatePem = makeCertificatePem(makeAuthority("old"), { days: -1 });
    await expectException(
      client.send(new RegisterCertificateWithoutCACommand({ certificatePem })),
      "CertificateValidationException",
      400,
    );
  });

  test.each(["PENDING_TRANSFER", "PENDING_ACTIVATION", "REGISTER_INACTIVE", "SLEEPING"])(
    "as %s is InvalidRequestException",
    async (status) => {
      const certificatePem = makeCertificatePem(makeAuthority("own"));
      await expectException(
        client.send(new RegisterCertificateWithoutCACommand({ certificatePem, status: status as "ACTIVE" })),
        "InvalidRequestException",
        400,
      );
    },
  );
});

describe("UpdateCertificate and DeleteCertificate", () => {
  test("the same status again changes nothing, and REVOKED is final", async () => {
    const { id } = await newCertificate();
    for (const newStatus of ["ACTIVE", "ACTIVE", "INACTIVE", "REVOKED", "REVOKED"] as const) {
      await client.send(new UpdateCertificateCommand({ certificateId: id, newStatus }));
    }
    expect(await statusOf(id)).toBe("REVOKED");
    await expectException(
      client.send(new UpdateCertificateCommand({ certificateId: id, newStatus: "ACTIVE" })),
      "CertificateStateException",
      406,
    );
  });

  test.each(["PENDING_TRANSFER", "PENDING_ACTIVATION", "REGISTER_INACTIVE"] as const)(
    "to %s is InvalidRequestException",
    async (newStatus) => {
      const { id } = await newCertificate();
      const call = client.send(new UpdateCertificateCommand({ certificateId: id, newStatus }));
      await expectException(call, "InvalidRequestException", 400);
    },
  );

  test("an ACTIVE one, one with policies and one with things stay; forceDelete passes over policies alone", async () => {
    const { id, arn } = await newCertificate(true);
    const remove = (forceDelete?: boolean): Promise<unknown> =>
      client.send(new DeleteCertificateCommand({ certificateId: id, forceDelete }));
    await client.send(new CreatePolicyCommand({ policyName: "p", policyDocument: allowEverything }));
    await client.send(new AttachPolicyCommand({ policyName: "p", target: arn }));
    await client.send(new CreateThingCommand({ thingName: "t" }));
    await client.send(new AttachThingPrincipalCommand({ thingName: "t", principal: arn }));
    await expectException(remove(), "CertificateStateException", 406);
    await client.send(new UpdateCertificateCommand({ certificateId: id, newStatus: "INACTIVE" }));
    await expectException(remove(), "DeleteConflictException", 409);
    await expectException(remove(true), "DeleteConflictException", 409);
    await client.send(new DetachThingPrincipalCommand({ thingName: "t", principal: arn }));
    await expectException(remove(), "DeleteConflictException", 409);
    await remove(true);
    await expectException(
      client.send(new DescribeCertificateCommand({ certificateId: id })),
      "ResourceNotFoundException",
      404,
    );
    await expectException(remove(), "ResourceNotFoundException", 404);
    await expectException(
      client.send(new ListAttachedPoliciesCommand({ target: arn })),
      "ResourceNotFoundException",
      404,
    );
  });

  test("of one that does not exist, or is no identifier", async () => {
    const update = (certificateId: string): Promise<unknown> =>
      client.send(new UpdateCertificateCommand({ certificateId, newStatus: "ACTIVE" }));
    await expectException(update(unknownId), "ResourceNotFoundException", 404);
    for (const wrong of ["abc", "g".repeat(64), "../".repeat(21) + "a", unknownId + "0"]) {
      await expectException(update(wrong), "InvalidRequestException", 400);
    }
  });
});

describe("lists", () => {
  test("come to their end page by page, newest first unless ascendingOrder says otherwise", async () => {
    await using other = await RunningControlPlane.start();
    const own = other.client();
    const made: string[] = [];
    for (let index = 0; index < 7; index++) {
      const certificateSigningRequest = makeRequestPem(`d${index}`);
      const { certificateId = "" } = await own.send(new CreateCertificateFromCsrCommand({ certificateSigningRequest }));
      made.push(certificateId);
    }
    const walk = async (ascendingOrder?: boolean): Promise<(string | undefined)[]> => {
      const ids: (string | undefined)[] = [];
      const pages = paginateListCertificates({ client: own, pageSize: 3 }, { ascendingOrder });
      for await (const page of pages) ids.push(...(page.certificates ?? []).map((one) => one.certificateId));
      return ids;
    };
    expect(await walk(true)).toEqual(made);
    expect(await walk()).toEqual(made.toReversed());
    const { certificates = [], nextMarker } = await own.send(new ListCertificatesCommand({ pageSize: 7 }));
    expect(nextMarker).toBeUndefined();
    expect(certificates[0]).toEqual({
      certificateArn: `arn:aws:iot:us-east-1:000000000000:cert/${made[6]}`,
      certificateId: made[6],
      status: "INACTIVE",
      certificateMode: "DEFAULT",
      creationDate: expect.any(Date) as Date,
    });
    const { certificateDescription } = await own.send(new DescribeCertificateCommand({ certificateId: made[0] }));
    const { caCertificateId } = certificateDescription ?? {};
    const byAuthority = await own.send(
      new ListCertificatesByCACommand({ caCertificateId, pageSize: 250, ascendingOrder: true }),
    );
    expect(byAuthority.certificates?.map((one) => one.certificateId)).toEqual(made);
    const none = await own.send(new ListCertificatesByCACommand({ caCertificateId: unknownId }));
    expect(none).toMatchObject({ certificates: [] });
  });

  test.each([{ pageSize: 0 }, { pageSize: 251 }, { marker: "!" }, { marker: "eA==" }])(
    "with %j are InvalidRequestException",
    async (input) => {
      await expectException(client.send(new ListCertificatesCommand(input)), "InvalidRequestException", 400);
    },
  );
});

describe("transfers", () => {
  const target = "111122223333";
  let targetClient: IoTClient;
  beforeAll(async () => {
    targetClient = plane.client(await plane.createKey("administrator", target));
  });
  const offer = async (id: string): Promise<unknown> =>
    client.send(
      new TransferCertificateCommand({ certificateId: id, targetAwsAccount: target, transferMessage: "für dich" }),
    );

  test("are offered, listed and accepted: the certificate changes its account", async () => {
    const { id, arn } = await newCertificate();
    expect(await offer(id)).toMatchObject({ transferredCertificateArn: arn });
    expect(await statusOf(id)).toBe("PENDING_TRANSFER");
    const { outgoingCertificates } = await client.send(new ListOutgoingCertificatesCommand({}));
    expect(outgoingCertificates).toMatchObject([
      { certificateId: id, transferredTo: target, transferMessage: "für dich", transferDate: expect.any(Date) as Date },
    ]);
    await targetClient.send(new AcceptCertificateTransferCommand({ certificateId: id, setAsActive: true }));
    const { certificateDescription } = await targetClient.send(new DescribeCertificateCommand({ certificateId: id }));
    expect(certificateDescription).toMatchObject({
      status: "ACTIVE",
      ownedBy: target,
      previousOwnedBy: "000000000000",
      transferData: { acceptDate: expect.any(Date) as Date },
    });
    await expectException(
      client.send(new DescribeCertificateCommand({ certificateId: id })),
      "ResourceNotFoundException",
      404,
    );
    await expectException(
      targetClient.send(new AcceptCertificateTransferCommand({ certificateId: id })),
      "TransferAlreadyCompletedException",
      410,
    );
  });

  test("are rejected with a reason, and cancelled", async () => {
    const { id } = await newCertificate();
    await offer(id);
    await targetClient.send(new RejectCertificateTransferCommand({ certificateId: id, rejectReason: "no" }));
    const { certificateDescription } = await client.send(new DescribeCertificateCommand({ certificateId: id }));
    expect(certificateDescription).toMatchObject({ status: "INACTIVE", transferData: { rejectReason: "no" } });
    const cancel = (): Promise<unknown> => client.send(new CancelCertificateTransferCommand({ certificateId: id }));
    await expectException(cancel(), "TransferAlreadyCompletedException", 410);
    await offer(id);
    await cancel();
    expect(await statusOf(id)).toBe("INACTIVE");
    const reject = targetClient.send(new RejectCertificateTransferCommand({ certificateId: id }));
    await expectException(reject, "ResourceNotFoundException", 404);
  });

  test("of an ACTIVE one, one with a policy, to the own or an unknown account", async () => {
    const active = await newCertificate(true);
    await expectException(offer(active.id), "CertificateStateException", 406);
    const attached = await newCertificate();
    await client.send(new CreatePolicyCommand({ policyName: "held", policyDocument: allowEverything }));
    await client.send(new AttachPolicyCommand({ policyName: "held", target: attached.arn }));
    await expectException(offer(attached.id), "TransferConflictException", 409);
    const { id: certificateId } = await newCertificate();
    const to = (targetAwsAccount: string): Promise<unknown> =>
      client.send(new TransferCertificateCommand({ certificateId, targetAwsAccount }));
    await expectException(to("000000000000"), "TransferConflictException", 409);
    await expectException(to("999999999999"), "ResourceNotFoundException", 404);
    await expectException(to("1"), "InvalidRequestException", 400);
    await expectException(offer(unknownId), "ResourceNotFoundException", 404);
    await expectException(
      client.send(new CancelCertificateTransferCommand({ certificateId: unknownId })),
      "ResourceNotFoundException",
      404,
    );
  });
});
