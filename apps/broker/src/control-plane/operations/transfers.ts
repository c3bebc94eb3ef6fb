/** Transfers of certificates between accounts. */

import { resourceArn } from "@latchkey/registry";
import { account, ageOptions, agePaging, certificateId, message, nextOf } from "../members.ts";
import { operation, type Operation } from "../../http/operation.ts";
import { flag, label, member, query, required } from "../../http/shape.ts";

const id = label(certificateId);

/** The operations. */
export const transferOperations: readonly Operation[] = [
  operation("TransferCertificate", "PATCH /transfer-certificate/{certificateId}", {
    exceptions: ["CertificateStateException", "ResourceNotFoundException", "TransferConflictException"],
    members: { certificateId: id, targetAwsAccount: required(query(account)), transferMessage: member(message) },
    async run({ registry, scope }, input) {
      await registry.transfers.offer(scope, input.certificateId, input.targetAwsAccount, input.transferMessage);
      return { transferredCertificateArn: resourceArn(scope, "cert", input.certificateId) };
    },
  }),
  operation("AcceptCertificateTransfer", "PATCH /accept-certificate-transfer/{certificateId}", {
    exceptions: ["ResourceNotFoundException", "TransferAlreadyCompletedException"],
    members: { certificateId: id, setAsActive: query(flag) },
    async run({ registry, scope }, input) {
      await registry.transfers.accept(scope, input.certificateId, { setAsActive: input.setAsActive });
    },
  }),
  operation("RejectCertificateTransfer", "PATCH /reject-certificate-transfer/{certificateId}", {
    exceptions: ["ResourceNotFoundException", "TransferAlreadyCompletedException"],
    members: { certificateId: id, rejectReason: member(message) },
    run: ({ registry, scope }, input) => registry.transfers.reject(scope, input.certificateId, input.rejectReason),
  }),
  operation("CancelCertificateTransfer", "PATCH /cancel-certificate-transfer/{certificateId}", {
    exceptions: ["ResourceNotFoundException", "TransferAlreadyCompletedException"],
    members: { certificateId: id },
    run: ({ registry, scope }, input) => registry.transfers.cancel(scope, input.certificateId),
  }),
  operation("ListOutgoingCertificates", "GET /certificates-out-going", {
    members: agePaging,
    run({ registry, scope }, input) {
      const page = registry.transfers.listOutgoing(scope, ageOptions(input));
      return {
        outgoingCertificates: page.items.map((record) => ({
          certificateArn: resourceArn(scope, "cert", record.certificateId),
          certificateId: record.certificateId,
          transferredTo: record.transfer?.targetAccount,
          transferDate: record.transfer?.transferDateSeconds,
          transferMessage: record.transfer?.transferMessage,
          creationDate: record.createdAtSeconds,
        })),
        nextMarker: nextOf(page),
      };
    },
  }),
];
