/**
 * AWS IoT's data plane over HTTPS for devices: `POST /topics/TOPIC?qos=`, and reads of retained messages, with the client certificate of
 * the TLS connection. Policies decide on each request; nobody asks for iot:Connect, and there is no client identifier.
 */

import { randomUUID } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { stackOf } from "@latchkey/command-line";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { Logger } from "pino";
import type { HandshakePeer } from "../authorization/peer.ts";
import type { DevicePrincipal, PolicyAuthorizer } from "../authorization/policy-authorizer.ts";
import { answerOperation } from "../http/answer-operation.ts";
import { createHttpServer, headersOf, refuseUpgrade } from "../http/http-server.ts";
import { readTarget, type RequestTarget } from "../http/request-target.ts";
import { RouteTable } from "../http/route-table.ts";
import { ServiceError } from "../http/service-error.ts";
import { deviceOperations, maximumPayloadOctets, type DataPlane } from "./operations.ts";
import type { MqttOverWebSocket } from "./websocket.ts";

/** What the server is made with. */
export interface DataPlaneServerOptions {
  readonly authorizer: Pick<PolicyAuthorizer, "openHttps" | "release">;
  /** What a client may see and do of the broker. */
  readonly dataPlaneOf: (principal: DevicePrincipal, requestId: string) => DataPlane;
  readonly webSocket: MqttOverWebSocket;
  readonly requestTimeoutMs?: number | undefined;
  readonly log: Logger;
}

/** A server of connections that something else has accepted. */
export interface DataPlaneServer {
  /** Serves the requests of a connection. Nothing may have been read from the stream. */
  serve(stream: Duplex, peer: HandshakePeer): void;
  /** Ends what is still open. */
  close(): Promise<void>;
}

/** Makes the server. */
export async function startDataPlane(options: DataPlaneServerOptions): Promise<DataPlaneServer> {
  const requests = new DeviceRequests(options);
  const app = createHttpServer({
    maximumBodyOctets: maximumPayloadOctets,
    requestTimeoutMs: options.requestTimeoutMs,
    begin: (request, reply) => requests.begin(request, reply),
    carryOut: (request, reply) => requests.carryOut(request, reply),
    onException: (exception, cause, request) => requests.failed(exception, cause, request),
  });
  app.server.on("upgrade", (request: IncomingMessage, stream: Duplex, head: Buffer) => {
    void requests.upgrade(request, stream, head);
  });
  await app.ready();
  // This server never listens, and it is the event that starts its watch over requests that take too long.
  app.server.emit("listening");
  return {
    serve(stream, peer) {
      requests.connected(stream, peer);
      app.server.emit("connection", stream);
    },
    async close() {
      app.server.closeAllConnections();
      app.server.close(() => {});
      await app.close();
    },
  };
}

/** A connection: who is at its other end. */
interface Connection {
  readonly peer: HandshakePeer;
  /** Made at the first request. */
  principal: DevicePrincipal | undefined;
}

/** A request under way. */
interface Call {
  readonly requestId: string;
  readonly startedMs: number;
  readonly connection: Connection;
  target: RequestTarget | undefined;
  operation: string | undefined;
}

class DeviceRequests {
  readonly #options: DataPlaneServerOptions;
  readonly #routes = new RouteTable<DataPlane>(deviceOperations);
  readonly #connections = new WeakMap<Duplex, Connection>();
  readonly #calls = new WeakMap<IncomingMessage, Call>();

  constructor(options: DataPlaneServerOptions) {
    this.#options = options;
  }

  connected(stream: Duplex, peer: HandshakePeer): void {
    const connection: Connection = { peer, principal: undefined };
    this.#connections.set(stream, connection);
    stream.once("close", () => {
      if (connection.principal !== undefined) this.#options.authorizer.release(connection.principal);
    });
  }

  /** Throws exceptions: UnauthorizedException where the certificate is refused, before the body is read. */
  begin({ raw }: FastifyRequest, reply: FastifyReply): void {
    const connection = this.#connections.get(raw.socket);
    if (connection === undefined) throw new TypeError("a connection was handed over without its peer");
    const call: Call = {
      requestId: randomUUID(),
      startedMs: performance.now(),
      connection,
      target: undefined,
      operation: undefined,
    };
    this.#calls.set(raw, call);
    void reply.header("x-amzn-requestid", call.requestId);
    this.#principalOf(connection, reply);
    call.target = readTarget(raw.url ?? "");
  }

  async carryOut(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const { raw } = request;
    const call = this.#calls.get(raw);
    if (call?.target === undefined) throw new TypeError("a hook was passed over");
    const { segments, query } = call.target;
    const { operation, labels } = this.#routes.find(raw.method ?? "", segments);
    call.operation = operation.name;
    const body = request.body instanceof Uint8Array ? request.body : new Uint8Array();
    const principal = this.#principalOf(call.connection, reply);
    const dataPlane = this.#options.dataPlaneOf(principal, call.requestId);
    const asked = { labels, query, headers: headersOf(raw), body };
    return answerOperation(reply, operation, dataPlane, asked, () => this.#log(request, 200, undefined));
  }

  /** Hands a connection over to MQTT, or answers why not. */
  async upgrade(request: IncomingMessage, stream: Duplex, head: Buffer): Promise<void> {
    const connection = this.#connections.get(stream);
    try {
      if (connection === undefined) throw new TypeError("a connection was handed over without its peer");
      await this.#options.webSocket.upgrade(request, stream, head, connection.peer);
    } catch (error) {
      const exception = refuseUpgrade(error, stream);
      const { code, message: why } = exception;
      this.#options.log.info({ remote: connection?.peer.remote, exception: code, why }, "no WebSocket");
      if (code === "InternalFailureException") this.#options.log.error({ reason: stackOf(error) }, "https failed");
    }
  }

  /** A request is about to be answered by an exception. */
  failed(exception: ServiceError, cause: unknown, request: FastifyRequest): void {
    this.#log(request, exception.statusCode, exception);
    if (exception.code !== "InternalFailureException") return;
    this.#options.log.error(
      { requestId: this.#calls.get(request.raw)?.requestId, reason: stackOf(cause) },
      "https failed",
    );
  }

  /** The client, where its certificate may be used. Where it may not, now or since the connection began, the client is told so and the connection ends. */
  #principalOf(connection: Connection, reply: FastifyReply): DevicePrincipal {
    const { peer } = connection;
    if (peer.kind === "refused") {
      void reply.header("connection", "close");
      const exception = peer.isTemporary ? "ServiceUnavailableException" : "UnauthorizedException";
      throw new ServiceError(exception, peer.reason);
    }
    connection.principal ??= this.#options.authorizer.openHttps(peer);
    const { refusal } = connection.principal.rights;
    if (refusal === undefined) return connection.principal;
    void reply.header("connection", "close");
    throw new ServiceError("UnauthorizedException", refusal);
  }

  /** One line a request, for those who look for it. Refusals by policies have a line and a decision of their own. */
  #log(request: FastifyRequest, status: number, exception: ServiceError | undefined): void {
    const call = this.#calls.get(request.raw);
    this.#options.log.debug(
      {
        requestId: call?.requestId,
        remote: call?.connection.peer.remote,
        method: request.method,
        operation: call?.operation,
        status,
        ...(exception !== undefined && { exception: exception.code, why: exception.message }),
        durationMs: call === undefined ? undefined : Math.round(performance.now() - call.startedMs),
      },
      "https",
    );
  }
}
