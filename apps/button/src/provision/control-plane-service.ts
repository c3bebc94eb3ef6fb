/** Identities from a control plane: AWS IoT's REST API, signed by an access key. The key comes from the environment, as for the AWS CLI. */

import { messageOf, UsageError } from "@latchkey/command-line";
import { signRequest, type AccessKey } from "@latchkey/request-signing";
import type { IdentityService, IssuedCertificate } from "./identity-service.ts";

/** Where the control plane is, and who asks. */
export interface ControlPlaneOptions {
  /** For instance `http://127.0.0.1:9000`. */
  readonly url: string;
  readonly region: string;
  readonly accessKey: AccessKey;
  /** PEM of the root that devices are to believe: the control plane does not hand it out. */
  readonly rootPem: string;
}

/** What is given up after this long. */
const timeoutMs = 30_000;
const service = "iot";

/** A refusal of the control plane. */
class ControlPlaneError extends Error {
  override readonly name = "ControlPlaneError";
  readonly code = "ERR_BUTTON_CONTROL_PLANE";
  /** For instance `ResourceAlreadyExistsException`; undefined where there was no answer. */
  readonly exception: string | undefined;

  constructor(message: string, exception?: string, options?: ErrorOptions) {
    super(message, options);
    this.exception = exception;
  }
}

/** The access key in `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`. Throws `UsageError`. */
export function accessKeyOf(environment: Readonly<Record<string, string | undefined>>): AccessKey {
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = environment;
  if (accessKeyId !== undefined && secretAccessKey !== undefined) {
    return { accessKeyId, secretAccessKey, sessionToken: environment["AWS_SESSION_TOKEN"] };
  }
  throw new UsageError(
    "--control-plane needs an access key: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, as for the AWS CLI",
  );
}

type Answer = Readonly<Record<string, unknown>>;

/** The identity service behind a control plane. Its operations throw `ControlPlaneError`. Throws `UsageError` for a URL that is none. */
export function controlPlaneService(options: ControlPlaneOptions): IdentityService {
  const base = baseOf(options.url);
  const call = (method: string, path: string, body?: object): Promise<Answer> =>
    send(options, base, method, path, body);
  return {
    createKeysAndCertificate: async () => {
      const answer = await call("POST", "/keys-and-certificate?setAsActive=true");
      const { keyPair } = answer;
      const pair: Answer = typeof keyPair === "object" && keyPair !== null ? { ...keyPair } : {};
      return {
        ...issuedIn(answer),
        certificatePem: text(answer, "certificatePem"),
        privateKeyPem: text(pair, "PrivateKey"),
      };
    },
    createCertificateFromCsr: async (certificateSigningRequest) => {
      const answer = await call("POST", "/certificates?setAsActive=true", { certificateSigningRequest });
      return { ...issuedIn(answer), certificatePem: text(answer, "certificatePem") };
    },
    registrationCode: async () => text(await call("GET", "/registrationcode"), "registrationCode"),
    registerAuthority: async (caCertificate, verificationCertificate) => {
      await unlessThere(() =>
        call("POST", "/cacertificate?setAsActive=true", { caCertificate, verificationCertificate }),
      );
    },
    registerCertificate: async (certificatePem, caCertificatePem) =>
      issuedIn(await call("POST", "/certificate/register", { certificatePem, caCertificatePem, status: "ACTIVE" })),
    createPolicy: async (policyName, policyDocument) => {
      await unlessThere(() => call("POST", `/policies/${encodeURIComponent(policyName)}`, { policyDocument }));
    },
    attachPolicy: async (policyName, target) => {
      await call("PUT", `/target-policies/${encodeURIComponent(policyName)}`, { target });
    },
    root: async () => options.rootPem,
    [Symbol.asyncDispose]: async () => {},
  };
}

function baseOf(url: string): URL {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed !== undefined && ["http:", "https:"].includes(parsed.protocol)) return parsed;
  throw new UsageError(
    `--control-plane ${JSON.stringify(url)} is not possible: it is a URL such as http://127.0.0.1:9000`,
  );
}

async function send(
  { accessKey, region }: ControlPlaneOptions,
  base: URL,
  method: string,
  path: string,
  members: object | undefined,
): Promise<Answer> {
  const url = new URL(path, base);
  const body = members === undefined ? "" : JSON.stringify(members);
  const { host: _, ...headers } = await signRequest(
    { method, url, body, region, service, date: new Date() },
    accessKey,
  );
  let response: Response;
  let content: string;
  try {
    response = await fetch(url, {
      method,
      headers: { ...headers, ...(body !== "" && { "content-type": "application/json" }) },
      ...(body !== "" && { body }),
      signal: AbortSignal.timeout(timeoutMs),
    });
    content = await response.text();
  } catch (cause) {
    const why = cause instanceof Error && cause.cause !== undefined ? messageOf(cause.cause) : messageOf(cause);
    throw new ControlPlaneError(`${method} ${url.href} got no answer: ${why}`, undefined, { cause });
  }
  const answer = content === "" ? {} : parsed(content);
  if (response.ok) return answer;
  const [exception] = (response.headers.get("x-amzn-errortype") ?? "").split(":");
  const said = typeof answer["message"] === "string" ? answer["message"] : content.slice(0, 200);
  throw new ControlPlaneError(
    `${method} ${url.pathname}: HTTP ${response.status} ${exception ?? ""}: ${said}`,
    exception,
  );
}

async function unlessThere(body: () => Promise<unknown>): Promise<void> {
  try {
    await body();
  } catch (error) {
    if (!(error instanceof ControlPlaneError) || error.exception !== "ResourceAlreadyExistsException") throw error;
  }
}

function parsed(content: string): Answer {
  try {
    const value: unknown = JSON.parse(content);
    return typeof value === "object" && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}

function issuedIn(answer: Answer): IssuedCertificate {
  return { certificateArn: text(answer, "certificateArn"), certificateId: text(answer, "certificateId") };
}

function text(answer: Answer, name: string): string {
  const value = answer[name];
  if (typeof value === "string") return value;
  throw new ControlPlaneError(`the control plane's answer has no ${name}`);
}
