/**
 * MQTT over WebSocket (MQTT 5.0 §6): `GET /mqtt` with the subprotocol `mqtt`, for browsers and for networks that let HTTPS through alone.
 * The client has a certificate, or its URL is signed with an access key for the service `iotdevicegateway`.
 */

import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { Broker } from "@latchkey/broker-core";
import { WebSocketServer, type WebSocket } from "ws";
import type { HandshakePeer, Peer, ProgramPeer, RefusedPeer } from "../authorization/peer.ts";
import type { Principal } from "../authorization/policy-authorizer.ts";
import { headersOf } from "../http/http-server.ts";
import { readTarget } from "../http/request-target.ts";
import { invalidRequest, ServiceError } from "../http/service-error.ts";
import type { SignedParts } from "../http/signature-v4.ts";

/** What it is made with. */
export interface WebSocketOptions {
  readonly broker: Broker<Peer, Principal>;
  /**
   * Who signed a request without a body, where it is signed; undefined where there are no access keys. Rejects with `ServiceError`.
   */
  readonly authenticateProgram: ((parts: SignedParts, peer: RefusedPeer) => Promise<ProgramPeer>) | undefined;
}

const path = "/mqtt";
const subprotocol = "mqtt";
/** RFC 6455 §7.4.1. */
const closeCodes = { normal: 1000, unsupportedData: 1003 } as const;
/** How long a client may take to close its side. */
const closeTimeoutMs = 2000;

/** Takes WebSockets over. */
export class MqttOverWebSocket {
  readonly #options: WebSocketOptions;
  readonly #server: WebSocketServer;

  constructor(options: WebSocketOptions) {
    this.#options = options;
    this.#server = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      // What MQTT carries is small or compressed already, and compressing costs memory for each connection.
      perMessageDeflate: false,
      // A frame need not be a packet (MQTT-6.0.0-2), and one above the largest packet holds nothing that could be taken.
      maxPayload: options.broker.limits.maximumPacketSize,
      handleProtocols: () => subprotocol,
    });
  }

  /** Answers a request for a WebSocket. Throws `ServiceError` where it is none of MQTT or its sender is not known. */
  async upgrade(request: IncomingMessage, stream: Duplex, head: Buffer, peer: HandshakePeer): Promise<void> {
    const target = readTarget(request.url ?? "");
    if (target.rawPath !== path) {
      throw new ServiceError("UnknownOperationException", `MQTT over WebSocket is at ${path}`);
    }
    const headers = headersOf(request);
    const offered = (headers.get("sec-websocket-protocol") ?? "").split(",").map((name) => name.trim());
    // MQTT-6.0.0-3
    if (!offered.includes(subprotocol)) throw invalidRequest("Sec-WebSocket-Protocol", `has to have ${subprotocol}`);
    const client = await this.#client({ method: request.method ?? "", target, headers }, peer);
    if (stream.destroyed) return;
    this.#server.handleUpgrade(request, stream, head, (socket) => serve(this.#options.broker, client, socket, stream));
  }

  async #client(parts: SignedParts, peer: HandshakePeer): Promise<Peer> {
    const { authenticateProgram } = this.#options;
    const isSigned = parts.headers.has("authorization") || parts.target.query.has("X-Amz-Signature");
    // A certificate goes before a signature: it is what policies are about.
    if (isSigned && peer.kind === "refused" && peer.alert === "certificate_required") {
      if (authenticateProgram !== undefined) return authenticateProgram(parts, peer);
    }
    return peer;
  }
}

function serve(broker: Broker<Peer, Principal>, peer: Peer, socket: WebSocket, stream: Duplex): void {
  const transport = {
    write(chunks: readonly Uint8Array[]): void {
      socket.send(chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks));
    },
    close(): void {
      socket.close(closeCodes.normal);
      const timer = setTimeout(() => socket.terminate(), closeTimeoutMs);
      socket.once("close", () => clearTimeout(timer));
    },
    get bufferedOctets() {
      return socket.bufferedAmount;
    },
    pause: () => socket.pause(),
    resume: () => socket.resume(),
  };
  const client = broker.accept(peer, transport, performance.now());
  // A message comes when its last frame is whole. Until then its octets are counted as they come.
  let heldOctets = 0;
  let hasMessage = false;
  stream.on("data", (chunk: Buffer) => {
    if (hasMessage) hasMessage = false;
    else client.held((heldOctets += chunk.length), performance.now());
  });
  socket.on("message", (data: Buffer, isBinary) => {
    hasMessage = true;
    if (heldOctets > 0) client.held((heldOctets = 0), performance.now());
    if (isBinary) client.receive(data, performance.now());
    // MQTT-6.0.0-1
    else socket.close(closeCodes.unsupportedData);
  });
  stream.on("drain", () => client.drained(performance.now()));
  socket.on("error", (error) => client.lost(error.message, performance.now()));
  socket.on("close", () => client.lost("the client closed the WebSocket", performance.now()));
}
