/** signature_algorithms_cert (RFC 8446 §4.2.3): sent where it says more, honoured where a chain is chosen and verified. */

import { nodeProvider } from "@latchkey/crypto/node";
import { describe, expect, it } from "vitest";
import { chainPeerVerifier, createTlsClient, type SignatureScheme } from "../src/index.ts";
import { readCertificateRequest12, readCertificateRequest13 } from "../src/messages/certificate-request.ts";
import { schemeByNumber } from "../src/signature-scheme.ts";
import { editClientHello, extension, octets, refusal, setExtension } from "./hostile-peer.ts";
import { newAuthority, newDevice, newServer, root } from "./identities.ts";
import { clientConfig, connect, type PairOptions } from "./pair.ts";

const rsaRoot = newAuthority("RSA Root", "rsa");
const verifier = chainPeerVerifier({
  provider: nodeProvider,
  trustAnchors: [root.certificate, rsaRoot.certificate],
});
/** Both have keys of P-256: only the signature in the certificate differs. */
const servers = { rsa: newServer(rsaRoot), ecdsa: newServer(root) };
const devices = { rsa: newDevice(rsaRoot), ecdsa: newDevice(root) };
const both = [servers.rsa.credential, servers.ecdsa.credential];
const onlyEcdsa: readonly SignatureScheme[] = ["ecdsa_secp256r1_sha256"];

/** The certificate that the server sends to a client. */
function served(client: PairOptions["client"], more: PairOptions = {}): Uint8Array | undefined {
  const pair = connect({ ...more, client: { verifier, ...client }, server: { credentials: both, verifier } });
  return pair.client.info?.peerCertificates[0];
}

/** The schemes of an extension in the ClientHello of a client. */
function offered(client: PairOptions["client"]): (string | undefined)[] {
  let value = new Uint8Array(0);
  const hooks = editClientHello((hello) => {
    value = Uint8Array.from(extension(hello, "signature_algorithms_cert"));
  });
  connect({ client: client ?? {}, clientHooks: hooks });
  return Array.from({ length: value.length / 2 }, (_, index) =>
    schemeByNumber((value[2 * index]! << 8) | value[2 * index + 1]!),
  ).slice(1);
}

it("a client sends it only where it differs from signature_algorithms", () => {
  expect(offered({})).toEqual([]);
  expect(offered({ schemes: onlyEcdsa })).toContain("rsa_pkcs1_sha256");
  expect(offered({ certificateSchemes: onlyEcdsa })).toEqual(onlyEcdsa);
});

it("a server of TLS 1.3 takes certificates that are signed by PKCS #1, although no client may sign by it", () => {
  const requests: Uint8Array[] = [];
  for (const version of ["TLSv1.3", "TLSv1.2"] as const) {
    connect({
      client: { versions: [version] },
      serverHooks: {
        message: (name, encoding) => {
          if (name === "certificate_request") requests.push(encoding.subarray(4));
          return [encoding];
        },
      },
    });
  }
  const request = readCertificateRequest13(requests[0]!);
  expect([...request.schemes].map(schemeByNumber)).not.toContain("rsa_pkcs1_sha256");
  expect([...request.certificateSchemes].map(schemeByNumber)).toContain("rsa_pkcs1_sha256");
  // TLS 1.2 has one list for both.
  expect([...readCertificateRequest12(requests[1]!).schemes].map(schemeByNumber)).toContain("rsa_pkcs1_sha256");
});

describe.each(["TLSv1.3", "TLSv1.2"] as const)("%s", (version) => {
  const versions = [version];

  it("a server sends a chain that is signed as the client takes it, before others", () => {
    expect(served({ versions })).toEqual(servers.rsa.certificate.encoding);
    expect(served({ versions, certificateSchemes: onlyEcdsa })).toEqual(servers.ecdsa.certificate.encoding);
  });

  it("without the extension signature_algorithms counts for certificates", () => {
    const clientHooks = editClientHello((hello) => setExtension(hello, "signature_algorithms_cert", undefined));
    // With it, all schemes are good for certificates.
    expect(served({ versions, schemes: onlyEcdsa })).toEqual(servers.rsa.certificate.encoding);
    expect(served({ versions, schemes: onlyEcdsa }, { clientHooks })).toEqual(servers.ecdsa.certificate.encoding);
  });

  it("a client chooses its chain by what the server takes", () => {
    const credentials = [devices.rsa.credential, devices.ecdsa.credential];
    const sent = (server: PairOptions["server"]): Uint8Array | undefined =>
      connect({ client: { versions, credentials }, server: { verifier, ...server } }).server.info?.peerCertificates[0];
    expect(sent({})).toEqual(devices.rsa.certificate.encoding);
    // TLS 1.2 has no such extension in a CertificateRequest: its one list counts.
    const server = version === "TLSv1.3" ? { certificateSchemes: onlyEcdsa } : { schemes: onlyEcdsa };
    expect(sent(server)).toEqual(devices.ecdsa.certificate.encoding);
  });

  it("without such a chain any is sent, and refused by the side that asked for another", () => {
    const credentials = [servers.rsa.credential];
    const options = { client: { versions, verifier, certificateSchemes: onlyEcdsa }, server: { credentials } };
    const error = refusal(options, "client");
    expect(error).toMatchObject({ code: "ERR_TLS_CERTIFICATE", alertSent: "unsupported_certificate" });
    expect(error.message).toContain("rsa-pkcs1");
    const client = { versions, credentials: [devices.rsa.credential] };
    expect(refusal({ client, server: { verifier, certificateSchemes: onlyEcdsa } }, "server")).toMatchObject({
      code: "ERR_TLS_CERTIFICATE",
      alertSent: "unsupported_certificate",
    });
  });

  it("a self-signed certificate in the chain may be signed by anything", () => {
    const chain = [...servers.ecdsa.credential.chain, rsaRoot.certificate.encoding];
    const pair = connect({
      client: { versions, verifier, certificateSchemes: onlyEcdsa },
      server: { credentials: [{ ...servers.ecdsa.credential, chain }] },
    });
    expect([pair.client.phase, pair.server.phase]).toEqual(["open", "open"]);
  });

  it.each([
    ["empty", octets(0, 0)],
    ["odd", octets(0, 3, 4, 3, 4)],
    ["with octets behind it", octets(0, 2, 4, 3, 0)],
  ])("a list that is %s is a decode_error", (_name, value) => {
    const clientHooks = editClientHello((hello) => setExtension(hello, "signature_algorithms_cert", value));
    expect(refusal({ client: { versions }, clientHooks }, "server").alertSent).toBe("decode_error");
  });
});

it("a list without schemes, or with unknown ones, is a mistake of the caller", () => {
  expect(() => createTlsClient({ ...clientConfig, certificateSchemes: [] })).toThrow("At least one scheme");
  const unknown = ["rsa_pkcs1_sha1" as SignatureScheme];
  expect(() => createTlsClient({ ...clientConfig, certificateSchemes: unknown })).toThrow("The schemes are");
});
