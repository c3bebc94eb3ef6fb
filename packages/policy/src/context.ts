/**
 * What a decision is made about: an action on a resource, and what is known about who asks.
 *
 * All of it is plain data, and the same shape is the JSON of an expectation file. A caller fills it from a certificate,
 * a registry and a connection; this package knows none of them. Nothing of it is trusted to be safe: values are only
 * ever compared, never read as patterns.
 */

/** The name of an action with its service: `iot:Publish`. A bare `Publish` does not compile. */
export type PolicyAction = `${string}:${string}`;

/** An Amazon resource name. A bare `topic/a` does not compile. */
export type ResourceArn = `arn:${string}:${string}:${string}:${string}:${string}`;

/** One question: may this be done? */
export interface PolicyRequest {
  /** `iot:Publish` and so on; upper and lower case are the same. */
  readonly action: PolicyAction;
  /** The concrete ARN (`topicArn` and its siblings make it), or `*` for actions that have no resource. */
  readonly resource: ResourceArn | "*";
  readonly context: RequestContext;
}

/**
 * The protocol of a request. `mqtt`: MQTT itself, also over WebSocket. `https`: one HTTPS request, which has no client
 * identifier and no thing.
 */
export type RequestProtocol = "mqtt" | "https";

/** `implicit-deny`: no statement allows it. `explicit-deny`: a Deny statement matches, whatever else allows it. */
export type Decision = "allow" | "explicit-deny" | "implicit-deny";

/** What is known about the requester. A field that is left out, or an empty text, is no value. */
export interface RequestContext {
  /**
   * Variables about the client identifier and the thing have values on MQTT connections only. Where it is left out, the
   * context is taken for MQTT, except for actions that exist over HTTPS only (`httpsActions`).
   */
  readonly protocol?: RequestProtocol | undefined;
  /** MQTT client identifier; absent on HTTPS. */
  readonly clientId?: string | undefined;
  /** Address of the peer, IPv4 or IPv6 (`::ffff:192.0.2.1` counts as IPv4). */
  readonly sourceIp?: string | undefined;
  /** Server name (SNI) that the client connected to. */
  readonly domainName?: string | undefined;
  /** 64 lowercase hexadecimal digits. */
  readonly certificateId?: string | undefined;
  readonly certificate?: CertificateAttributes | undefined;
  /** The thing of the connection; absent where no thing is associated with it. */
  readonly thing?: ThingAttributes | undefined;
  /** Of the CONNECT that is decided about, empty where it has neither; absent for other actions. */
  readonly connectAttributes?: readonly ConnectAttribute[] | undefined;
  /** ARN of the will topic of the CONNECT that is decided about. */
  readonly lastWillTopic?: string | undefined;
  /** Topic of a direct message (iot:SendDirectMessage). */
  readonly topic?: string | undefined;
  /** Milliseconds since 1970, for aws:CurrentTime and aws:EpochTime; these do not resolve without it. */
  readonly currentTimeMs?: number | undefined;
  /**
   * Further condition keys by their full name, such as `cognito-identity.amazonaws.com:sub`. Names compare without case;
   * the values of one name in two spellings count together. A name that has a field above counts where the field is left
   * out, but for the client identifier and the thing.
   */
  readonly keys?: { readonly [name: string]: string | readonly string[] } | undefined;
}

/** What a CONNECT asks for: a persistent session, a will. */
export type ConnectAttribute = "PersistentConnect" | "LastWill";

/** What policies can ask about a certificate. */
export interface CertificateAttributes {
  /** The certificate's serial number in decimal. */
  readonly serialNumber?: string | undefined;
  readonly subject?: NameAttributes | undefined;
  readonly issuer?: NameAttributes | undefined;
  readonly subjectAlternativeName?: AlternativeNames | undefined;
  readonly issuerAlternativeName?: AlternativeNames | undefined;
}

/** Attributes of a distinguished name: every value, unescaped, in the order of the certificate. */
export type NameAttributes = { readonly [Name in NameAttribute]?: readonly string[] | undefined };

/** The attributes of a distinguished name that AWS IoT has variables for. */
export type NameAttribute = (typeof nameAttributes)[number];

/** The attribute names that AWS IoT has variables for; `SerialNumber` is the name attribute 2.5.4.5. */
export const nameAttributes = [
  "DistinguishedNameQualifier",
  "Country",
  "Organization",
  "OrganizationalUnit",
  "State",
  "CommonName",
  "SerialNumber",
  "Title",
  "Surname",
  "GivenName",
  "Initials",
  "Pseudonym",
  "GenerationQualifier",
] as const;

/** Alternative names by their form: every value in the order of the certificate. */
export type AlternativeNames = { readonly [Form in AlternativeNameForm]?: readonly string[] | undefined };

/** The forms of an alternative name that AWS IoT has variables for. */
export type AlternativeNameForm = (typeof alternativeNameForms)[number];

/** The forms of alternative names that AWS IoT has variables for. */
export const alternativeNameForms = [
  "RFC822Name",
  "DNSName",
  "DirectoryName",
  "UniformResourceIdentifier",
  "IPAddress",
] as const;

/** The thing that a connection belongs to. */
export interface ThingAttributes {
  readonly name: string;
  readonly typeName?: string | undefined;
  readonly attributes?: { readonly [name: string]: string } | undefined;
  /** Whether the thing is attached to the certificate; where not, only this itself resolves. */
  readonly isAttached: boolean;
}
