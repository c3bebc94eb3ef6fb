/** `@latchkey/asn1` beside node-forge: a chain of certificates out of PEM text. */

import { decodePem, encodePem } from "@latchkey/asn1";
import { nodeProvider } from "@latchkey/crypto/node";
import {
  certificateAuthority,
  deviceCertificate,
  issueCertificate,
  issueSelfSignedCertificate,
  makeName,
  validityFrom,
} from "@latchkey/x509";
// @ts-expect-error -- node-forge ships no types
import forge from "node-forge";
import type { Scenario, Suite } from "../scenario.ts";

export const suite: Suite = {
  name: "asn1",
  scenarios: { "asn1/pem/chain": pemChain },
};

/** A device's certificate and the two above it. */
function makeChain(): Uint8Array[] {
  const provider = nodeProvider;
  const validity = validityFrom(1_795_392_000, 365);
  const root = provider.generateKeyPair({ name: "ec", curve: "P-256" });
  const named = (value: string): ReturnType<typeof makeName> => makeName([{ type: "commonName", value }]);
  const rootCertificate = issueSelfSignedCertificate({
    provider,
    privateKey: root.privateKey,
    template: certificateAuthority({ subject: named("Root"), validity }),
  });
  const below = provider.generateKeyPair({ name: "ec", curve: "P-256" });
  const intermediate = issueCertificate({
    provider,
    issuer: { certificate: rootCertificate, privateKey: root.privateKey },
    publicKey: below.publicKey,
    template: certificateAuthority({ subject: named("Intermediate"), validity }),
  });
  const device = issueCertificate({
    provider,
    issuer: { certificate: intermediate, privateKey: below.privateKey },
    publicKey: provider.generateKeyPair({ name: "ec", curve: "P-256" }).publicKey,
    template: deviceCertificate({ subject: named("button-1"), validity }),
  });
  return [device.encoding, intermediate.encoding, rootCertificate.encoding];
}

/** A chain of three certificates out of one PEM text: the octets of each block. */
function pemChain(): Scenario {
  const chain = makeChain();
  const blocks = chain.length;
  const pem = chain.map((der) => encodePem("CERTIFICATE", der)).join("");
  const batch = 200;
  return {
    unit: "chain",
    bytesPerOperation: pem.length,
    subject: {
      name: "@latchkey/asn1",
      run: () => {
        let done = 0;
        for (let count = 0; count < batch; count++) done += decodePem(pem).length;
        return done / blocks;
      },
    },
    peers: [
      {
        name: "node-forge",
        run: () => {
          let done = 0;
          for (let count = 0; count < batch / 10; count++) done += forge.pem.decode(pem).length;
          return done / blocks;
        },
      },
    ],
  };
}
