/** Which certificates of the broker's own end soon, so that a person learns it in time. */

import type { Certificate } from "@latchkey/x509";
import type { BrokerDirectory } from "./data-directory.ts";

/** A certificate that ends soon. */
export interface EndingCertificate {
  readonly file: string;
  /** Its last second, in the form of ISO 8601. */
  readonly notAfter: string;
  /** What renews it. */
  readonly mend: string;
}

const secondsPerDay = 86_400;
/** It is made anew with 30 days left: with less than that something is in the way. */
const serverNoticeSeconds = 30 * secondsPerDay;
/** Devices everywhere have to be given something new. */
const authorityNoticeSeconds = 180 * secondsPerDay;

/** Those that end soon or have ended. */
export function endingCertificates(
  data: Pick<BrokerDirectory, "serverAuthority"> & { readonly deviceAuthority: { readonly certificate: Certificate } },
  server: { readonly notAfter: number },
  nowSeconds: number,
): readonly EndingCertificate[] {
  const all = [
    {
      file: "server.pem",
      notAfter: server.notAfter,
      noticeSeconds: serverNoticeSeconds,
      mend: "the broker makes the next one by itself, and tries it each hour and at SIGHUP: see to it that it can write its data directory",
    },
    {
      file: "server-ca.pem",
      notAfter: data.serverAuthority.validity.notAfter,
      noticeSeconds: authorityNoticeSeconds,
      mend: "move server-ca.pem and server-ca.key away, start the broker again, and give devices the new root",
    },
    {
      file: "device-ca.pem",
      notAfter: data.deviceAuthority.certificate.validity.notAfter,
      noticeSeconds: authorityNoticeSeconds,
      mend: "move device-ca.pem and device-ca.key away, start the broker again, and make devices new certificates",
    },
  ];
  return all
    .filter(({ notAfter, noticeSeconds }) => notAfter - nowSeconds < noticeSeconds)
    .map(({ file, notAfter, mend }) => ({ file, notAfter: new Date(notAfter * 1000).toISOString(), mend }));
}
