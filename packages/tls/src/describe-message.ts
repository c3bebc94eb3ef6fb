/** Handshake messages decoded for a trace: their fields by the names of the standards, no secret among them. */

import { suiteText } from "./cipher-suite.ts";
import { type ExtensionList, readExtensions } from "./extension-list.ts";
import { extensionText } from "./extension-type.ts";
import {
  numberList,
  offeredKeyShares,
  offeredServerName,
  offeredVersions,
  protocolNames,
  protocolText,
  selectedKeyShare,
  singleNumber,
} from "./extension-values.ts";
import type { HandshakeType } from "./handshake-type.ts";
import { hexOf } from "./key-log.ts";
import type { TlsLimits } from "./limits.ts";
import { readCertificate12, readCertificate13 } from "./messages/certificate.ts";
import { readCertificateRequest12, readCertificateRequest13 } from "./messages/certificate-request.ts";
import { readCertificateVerify } from "./messages/certificate-verify.ts";
import { readClientHello } from "./messages/client-hello.ts";
import { readServerKeyExchange } from "./messages/key-exchange.ts";
import { readKeyUpdate } from "./messages/key-update.ts";
import { readNewSessionTicket12, readNewSessionTicket13 } from "./messages/new-session-ticket.ts";
import { isHelloRetryRequest, readServerHello } from "./messages/server-hello.ts";
import { groupText } from "./named-group.ts";
import { versionText } from "./protocol-version.ts";
import { Reader } from "./reader.ts";
import { schemeText } from "./signature-scheme.ts";
import type { TraceValue } from "./trace-event.ts";

type Fields = { readonly [name: string]: TraceValue };
type Describe = (body: Uint8Array, isTls13: boolean, limits: TlsLimits) => Fields;

const describers: { readonly [Name in HandshakeType]?: Describe } = {
  client_hello: clientHello,
  server_hello: serverHello,
  encrypted_extensions: (body) => {
    const extensions = readExtensions(new Reader(body, "EncryptedExtensions"), "EncryptedExtensions");
    return { extensions: extensions.numbers.map(extensionText), ...protocols(extensions) };
  },
  certificate: (body, isTls13, limits) => {
    const chain = isTls13 ? readCertificate13(body, limits).chain : readCertificate12(body, limits);
    return { certificates: chain.map(({ length }) => `${length} octets of DER`) };
  },
  certificate_request: (body, isTls13) => {
    const request = isTls13 ? readCertificateRequest13(body) : readCertificateRequest12(body);
    const { schemes, certificateSchemes, authorities } = request;
    return {
      signature_algorithms: [...schemes].map(schemeText),
      ...(certificateSchemes === schemes ? {} : { signature_algorithms_cert: [...certificateSchemes].map(schemeText) }),
      certificate_authorities: authorities.length,
    };
  },
  certificate_verify: (body) => {
    const { scheme, signature } = readCertificateVerify(body);
    return { algorithm: schemeText(scheme), signature: `${signature.length} octets` };
  },
  server_key_exchange: (body) => {
    const { group, publicValue, scheme, signature } = readServerKeyExchange(body);
    return {
      group: groupText(group),
      public: hexOf(publicValue),
      algorithm: schemeText(scheme),
      signature: `${signature.length} octets`,
    };
  },
  client_key_exchange: (body) => ({ public: hexOf(new Reader(body, "ClientKeyExchange").vector8()) }),
  finished: (body) => ({ verify_data: `${body.length} octets` }),
  new_session_ticket: (body, isTls13) => {
    const { lifetimeSeconds, ticket } = isTls13 ? readNewSessionTicket13(body) : readNewSessionTicket12(body);
    return { ticket_lifetime: lifetimeSeconds, ticket: `${ticket.length} octets` };
  },
  key_update: (body) => ({ request_update: readKeyUpdate(body) }),
};

/** The fields of a message. One that cannot be read has none: the handshake says what is wrong with it. */
export function describeMessage(
  name: HandshakeType,
  body: Uint8Array,
  version: "TLSv1.2" | "TLSv1.3" | undefined,
  { limits }: { readonly limits: TlsLimits },
): Fields {
  try {
    return describers[name]?.(body, version !== "TLSv1.2", limits) ?? {};
  } catch {
    return {};
  }
}

function clientHello(body: Uint8Array): Fields {
  const { random, sessionId, cipherSuites, extensions } = readClientHello(body);
  const serverName = offeredServerName(extensions);
  const versions = offeredVersions(extensions);
  const shares = offeredKeyShares(extensions);
  return {
    random: hexOf(random),
    session_id: hexOf(sessionId),
    cipher_suites: [...cipherSuites].map(suiteText),
    extensions: extensions.numbers.map(extensionText),
    ...(serverName === undefined ? {} : { server_name: serverName }),
    ...(versions === undefined ? {} : { supported_versions: versions.map(versionText) }),
    ...(shares === undefined
      ? {}
      : { key_share: shares.map((one) => ({ group: groupText(one.group), public: hexOf(one.publicValue) })) }),
    ...lists(extensions),
    ...protocols(extensions),
  };
}

function lists(extensions: ExtensionList): Fields {
  const groups = numberList(extensions, "supported_groups");
  const schemes = numberList(extensions, "signature_algorithms");
  const certificateSchemes = numberList(extensions, "signature_algorithms_cert");
  return {
    ...(groups === undefined ? {} : { supported_groups: [...groups].map(groupText) }),
    ...(schemes === undefined ? {} : { signature_algorithms: [...schemes].map(schemeText) }),
    ...(certificateSchemes === undefined ? {} : { signature_algorithms_cert: [...certificateSchemes].map(schemeText) }),
  };
}

function protocols(extensions: ExtensionList): Fields {
  const names = protocolNames(extensions);
  return names === undefined ? {} : { application_layer_protocol_negotiation: names.map(protocolText) };
}

function serverHello(body: Uint8Array): Fields {
  const hello = readServerHello(body);
  const { extensions } = hello;
  const isRetry = isHelloRetryRequest(hello);
  const version = singleNumber(extensions, "supported_versions");
  return {
    is_hello_retry_request: isRetry,
    random: hexOf(hello.random),
    cipher_suite: suiteText(hello.cipherSuite),
    selected_version: versionText(version ?? hello.legacyVersion),
    extensions: extensions.numbers.map(extensionText),
    ...keyShare(extensions, isRetry),
    ...protocols(extensions),
  };
}

function keyShare(extensions: ExtensionList, isRetry: boolean): Fields {
  if (!extensions.has("key_share")) return {};
  if (isRetry) return { key_share: groupText(singleNumber(extensions, "key_share") ?? 0) };
  const share = selectedKeyShare(extensions);
  return share === undefined ? {} : { key_share: { group: groupText(share.group), public: hexOf(share.publicValue) } };
}
