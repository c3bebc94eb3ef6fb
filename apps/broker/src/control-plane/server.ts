/**
 * The control plane's HTTP server: plain HTTP on loopback addresses, HTTPS with the broker's server certificate everywhere else.
 *
 * A request is taken in this order: its target is read strictly, its signature's headers are looked at, its body is read, its
 * signature is verified, its operation is found and carried out. So a stranger is answered before the body, and learns
 * nothing of which operations there are.
 */

import { randomUUID } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { Server as HttpsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { messageOf, stackOf } from "@latchkey/command-line";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { Logger } from "pino";
import { BrokerError } from "../errors.ts";
import { answerOperation } from "../http/answer-operation.ts";
import { hostAndPort } from "../http/host-and-port.ts";
import { createHttpServer, headersOf } from "../http/http-server.ts";
import type { Operation } from "../http/operation.ts";
import { readTarget } from "../http/request-target.ts";
import { RouteTable } from "../http/route-table.ts";
import type { ServiceError } from "../http/service-error.ts";
import type { SignedParts } from "../http/signature-v4.ts";
import { isLoopback } from "../listeners/loopback.ts";
import {
  authenticate,
  authorize,
  claimOf,
  type Authentication,
  type Caller,
  type Claimed,
} from "../authorization/authenticate.ts";

/** What the server is started with. */
export interface ControlPlaneOptions<Context> {
  readonly host: string;
  /** 0 for any free port. */
  readonly port: number;
  /** PEM of the server's certificate and key: for HTTPS. */
  readonly certificate: string;
  readonly privateKey: string;
  /** HTTPS on loopback addresses, too. */
  readonly isSecure: boolean;
  /** How long a request may take to arrive. Default 10,000. */
  readonly requestTimeoutMs?: number | undefined;
  readonly authentication: Authentication;
  readonly operations: readonly Operation<Context>[];
  /** What the operations of a caller work with. */
  readonly contextOf: (caller: Caller, requestId: string) => Context;
  readonly log: Logger;
}

/** A control plane that listens. */
export interface ControlPlane {
  readonly address: AddressInfo;
  /** `http://HOST:PORT` or `https://HOST:PORT`. */
  readonly url: string;
  /** Shows another certificate from the next handshake on. PEM, as in the options. */
  setCertificate(certificate: string, privateKey: string): void;
  /** Stops listening, and ends what is still open. */
  close(): Promise<void>;
}

/** Octets of a body: more than any operation needs, the largest being a policy document in JSON. */
const maximumBodyOctets = 512 * 1024;
const maximumConnections = 1000;

/** Starts the server. Throws `ERR_BROKER_LISTEN`. */
export async function startControlPlane<Context>(options: ControlPlaneOptions<Context>): Promise<ControlPlane> {
  const { host, port, certificate, privateKey } = options;
  const isSecure = options.isSecure || !isLoopback(host);
  const requests = new Requests(options);
  const app = createHttpServer({
    tls: isSecure ? { certificate, privateKey } : undefined,
    maximumBodyOctets,
    requestTimeoutMs: options.requestTimeoutMs,
    begin: (request, reply) => requests.begin(request, reply),
    carryOut: (request, reply) => requests.carryOut(request, reply),
    onException: (exception, cause, request) => requests.failed(exception, cause, request),
  });
  const { server } = app;
  server.maxConnections = maximumConnections;
  try {
    await app.listen({ host, port });
  } catch (cause) {
    await app.close();
    throw new BrokerError(
      "ERR_BROKER_LISTEN",
      `cannot listen on ${host}:${port} for the control plane: ${messageOf(cause)}. ` +
        "Give another port with --control-port, or none with --no-control",
      { cause },
    );
  }
  const address = server.address();
  if (address === null || typeof address === "string") throw new TypeError("the control plane has no address");
  return {
    address,
    url: `${isSecure ? "https" : "http"}://${hostAndPort(address.address, address.port)}`,
    setCertificate(cert, key) {
      if (server instanceof HttpsServer) server.setSecureContext({ cert, key, minVersion: "TLSv1.2" });
    },
    close: () => app.close(),
  };
}

/** What is known of a request while it is under way. */
interface Call {
  readonly requestId: string;
  readonly startedMs: number;
  parts: SignedParts | undefined;
  claimed: Claimed | undefined;
  operation: string | undefined;
}

/** Takes requests through their steps. */
class Requests<Context> {
  readonly #options: ControlPlaneOptions<Context>;
  readonly #routes: RouteTable<Context>;
  readonly #calls = new WeakMap<IncomingMessage, Call>();

  constructor(options: ControlPlaneOptions<Context>) {
    this.#options = options;
    this.#routes = new RouteTable(options.operations);
  }

  /** What needs no body. Throws exceptions. */
  begin(request: FastifyRequest, reply: FastifyReply): void {
    const call: Call = {
      requestId: randomUUID(),
      startedMs: performance.now(),
      parts: undefined,
      claimed: undefined,
      operation: undefined,
    };
    this.#calls.set(request.raw, call);
    void reply.header("x-amzn-requestid", call.requestId);
    const { method = "", url = "" } = request.raw;
    call.parts = { method, target: readTarget(url), headers: headersOf(request.raw) };
    call.claimed = claimOf(this.#options.authentication, call.parts, request.ip);
  }

  /** The rest, when the body has come. Throws exceptions. */
  async carryOut(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const call = this.#calls.get(request.raw);
    const { parts, claimed } = call ?? {};
    if (call === undefined || parts === undefined || claimed === undefined)
      throw new TypeError("a hook was passed over");
    const body = request.body instanceof Uint8Array ? request.body : new Uint8Array();
    const caller = await authenticate(this.#options.authentication, claimed, parts, body, request.ip);
    const { operation, labels } = this.#routes.find(parts.method, parts.target.segments);
    call.operation = operation.name;
    authorize(caller, operation);
    const { query } = parts.target;
    const asked = { labels, query, headers: parts.headers, body };
    const context = this.#options.contextOf(caller, call.requestId);
    return answerOperation(reply, operation, context, asked, () => this.#log(request, 200, undefined));
  }

  /** A request is about to be answered by an exception. */
  failed(exception: ServiceError, cause: unknown, request: FastifyRequest): void {
    this.#log(request, exception.statusCode, exception);
    if (exception.code === "InternalFailureException") {
      const { requestId, operation } = this.#calls.get(request.raw) ?? {};
      this.#options.log.error({ requestId, operation, reason: stackOf(cause) }, "control plane failed");
    }
  }

  /** One line a request. Never its query, headers or body: signatures and keys stand there. */
  #log(request: FastifyRequest, status: number, exception: ServiceError | undefined): void {
    const call = this.#calls.get(request.raw);
    const fields = {
      requestId: call?.requestId,
      remote: request.ip,
      method: request.method,
      operation: call?.operation,
      accessKeyId: call?.claimed?.key.accessKeyId,
      status,
      ...(exception !== undefined && { exception: exception.code, why: exception.message }),
      durationMs: call === undefined ? undefined : Math.round(performance.now() - call.startedMs),
    };
    // A client that is throttled must not fill the log.
    const isQuiet = exception === undefined || exception.code === "ThrottlingException";
    this.#options.log[isQuiet ? "debug" : "info"](fields, "control plane");
  }
}
