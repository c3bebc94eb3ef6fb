/** What a device needs to connect, as files: its certificate, its key, the root that it trusts, and where to connect to. */

/** One file of a bundle. */
export interface BundleFile {
  readonly name: string;
  readonly content: string;
  /** For its owner only. */
  readonly isSecret: boolean;
}

/** The parts of a bundle. */
export interface DeviceBundleInput {
  readonly certificatePem: string;
  /** Undefined where the device has made its key itself. */
  readonly privateKeyPem?: string | undefined;
  /** The root that vouches for the server. */
  readonly rootPem: string;
  /** Host name of the data endpoint, without scheme and port. */
  readonly endpoint: string;
  readonly thingName?: string | undefined;
  /** Where it listens, if that is known and may be another port than the usual one. */
  readonly mqttPort?: number | undefined;
  readonly httpsPort?: number | undefined;
}

/** The files of a device's folder or archive. Nothing is written here. */
export function deviceBundle(input: DeviceBundleInput): readonly BundleFile[] {
  const { endpoint, thingName, mqttPort, httpsPort } = input;
  const connection = { endpoint, mqttPort, httpsPort, thingName };
  const files: BundleFile[] = [
    { name: "certificate.pem", content: input.certificatePem, isSecret: false },
    { name: "root-ca.pem", content: input.rootPem, isSecret: false },
    { name: "endpoint.json", content: `${JSON.stringify(connection, undefined, 2)}\n`, isSecret: false },
  ];
  if (input.privateKeyPem !== undefined) {
    files.push({ name: "private.key", content: input.privateKeyPem, isSecret: true });
  }
  return files;
}
