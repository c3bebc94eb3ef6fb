/** CONNACK of an accepted CONNECT (MQTT 5.0 §3.2): it goes out when the store has what it promises, the will and the session. */

import {
  encodedLength,
  ReasonCode,
  type ConnackProperties,
  type ConnectPacket,
  type ConnectProperties,
  type EncodablePacket,
} from "@latchkey/mqtt-codec";
import type { Connection } from "../connection/connection.ts";
import { refuseConnect } from "../connection/fault-answers.ts";
import type { Session } from "../session/session.ts";
import type { StoredWill } from "../session/will.ts";

/** What there was before a CONNECT was accepted. */
export interface BeforeConnect {
  /** Position in the store. */
  readonly appended: number;
  /** Whether the store has the session already. */
  readonly isSessionKept: boolean;
}

const storeFails = "the store refuses what CONNACK would promise to keep";

/**
 * While the store fails nobody is promised anything new, neither a session nor a will: refuses such a CONNECT before it takes over a session,
 * and gives false. A session that the store has goes on.
 */
export function canBeKept<Peer, Principal>(
  connection: Connection<Peer, Principal>,
  packet: ConnectPacket,
  will: StoredWill | undefined,
  expirySeconds: number,
): boolean {
  const { persistence, authenticator, sessions } = connection.context;
  if (persistence?.hasFailed !== true) return true;
  const session = packet.cleanStart ? undefined : sessions.get(connection.identity?.clientIdentifier ?? "");
  const isSessionNew = expirySeconds > 0 && session?.journal === undefined;
  const isWillNew = will !== undefined && authenticator.keepPrincipal !== undefined;
  if (!isSessionNew && !isWillNew) return true;
  refuseConnect(connection, ReasonCode.serverUnavailable, "storage-failure", storeFails);
  return false;
}

/** Calls `answer` when everything that the CONNECT has changed is committed: at once where it has changed nothing. */
export function answerWhenKept<Peer, Principal>(
  connection: Connection<Peer, Principal>,
  session: Session,
  before: BeforeConnect,
  answer: () => void,
): void {
  const { context, willNumber } = connection;
  const { persistence, appended } = context;
  if (persistence === undefined || appended === before.appended) {
    answer();
    return;
  }
  const isNothingNew = willNumber === 0 && (before.isSessionKept || session.expirySeconds === 0);
  const decided = (isCommitted: boolean): void => {
    if (connection.state === "closed") return;
    if (isCommitted || isNothingNew) {
      answer();
      return;
    }
    // Nothing of a refused CONNECT stays.
    connection.will = undefined;
    if (!before.isSessionKept) session.expirySeconds = 0;
    refuseConnect(connection, ReasonCode.serverUnavailable, "storage-failure", storeFails);
  };
  connection.hold(persistence.whenDecided(appended), decided, () => decided(false));
}

/** What the broker has decided of what a client has asked for. */
export interface ConnackFields {
  readonly asked: ConnectProperties | undefined;
  readonly askedKeepAlive: number;
  readonly keepAlive: number;
  readonly expirySeconds: number;
  readonly authenticationData: Uint8Array | undefined;
}

/**
 * Whether the client takes a CONNACK with what it has to know. MQTT-3.1.2-24: it is sent nothing above its Maximum Packet Size. What cannot be
 * sent counts as sent (MQTT-3.1.2-25), but a client without its CONNACK would wait for ever: it is refused, and false given.
 */
export function isConnackReadable<Peer, Principal>(
  connection: Connection<Peer, Principal>,
  fields: ConnackFields,
): boolean {
  const most = fields.asked?.maximumPacketSize;
  if (most === undefined) return true;
  const octets = encodedLength(connackOf(connection, false, fields), connection.version);
  if (octets <= most) return true;
  const detail = `the client's Maximum Packet Size is ${most} octets, and its CONNACK has ${octets}`;
  refuseConnect(connection, ReasonCode.packetTooLarge, "limit", detail, detail);
  return false;
}

/** CONNACK of an accepted CONNECT. */
export function connackOf<Peer, Principal>(
  connection: Connection<Peer, Principal>,
  sessionPresent: boolean,
  fields: ConnackFields,
): EncodablePacket {
  const properties = connection.version === 5 ? connackProperties(connection, fields) : undefined;
  return { type: "connack", sessionPresent, reasonCode: ReasonCode.success, properties };
}

/** Properties of CONNACK, MQTT 5.0 §3.2.2.3. */
function connackProperties<Peer, Principal>(
  connection: Connection<Peer, Principal>,
  { asked, askedKeepAlive, keepAlive, expirySeconds, authenticationData }: ConnackFields,
): Partial<ConnackProperties> {
  const { limits, isAws } = connection.context;
  const { authenticationMethod, sessionExpiryInterval = 0 } = asked ?? {};
  return {
    sessionExpiryInterval: expirySeconds === sessionExpiryInterval ? undefined : expirySeconds,
    receiveMaximum: limits.receiveMaximum,
    maximumQoS: isAws ? 1 : undefined,
    retainAvailable: isAws ? true : undefined,
    maximumPacketSize: limits.maximumPacketSize,
    assignedClientIdentifier:
      connection.identity?.isAssignedIdentifier === true ? connection.identity.clientIdentifier : undefined,
    topicAliasMaximum: limits.topicAliasMaximum,
    wildcardSubscriptionAvailable: isAws ? true : undefined,
    subscriptionIdentifierAvailable: isAws ? false : undefined,
    sharedSubscriptionAvailable: isAws ? true : undefined,
    serverKeepAlive: keepAlive === askedKeepAlive ? undefined : keepAlive,
    authenticationMethod,
    authenticationData: authenticationMethod === undefined ? undefined : authenticationData,
  };
}
