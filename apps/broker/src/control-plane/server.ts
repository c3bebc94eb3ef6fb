/**
 * The control plane's HTTP server: plain HTTP on loopback addresses, HTTPS with the broker's server certificate everywhere else.
 *
 * A request is taken in this order: its target is read strictly, its signature's headers are looked at, its body is read, its
 * signature is verified, its operation is found and carried out. So a stranger is answered before the body, and learns
 * nothing of which operations there are.
 */

import { randomUUID } from "node:crypto";
import type { IncomingMessage, Server as HttpServer } from "node:http";
import { Server as HttpsServer } from "node:https";
import { BlockList, isIP, type AddressInfo, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { messageOf } from "@latchkey/command-line";
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import type { Logger } from "pino";
import { BrokerError } from "../errors.ts";
import { readTarget } from "../http/request-target.ts";
import { ServiceError } from "../http/service-error.ts";
import type { SignedParts } from "../http/signature-v4.ts";
import { authenticate, authorize, claimOf, type Authentication, type Caller, type Claimed } from "./authenticate.ts";
import type { Operation } from "../http/operation.ts";
import { exceptionOf } from "../http/registry-exception.ts";
import { RouteTable } from "../http/route-table.ts";

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
  readonly contextOf: (caller: Caller) => Context;
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
const maximumHeaderOctets = 16 * 1024;
const defaultRequestTimeoutMs = 10_000;
const keepAliveTimeoutMs = 60_000;
const maximumConnections = 1000;

/** Starts the server. Throws `ERR_BROKER_LISTEN`. */
export async function startControlPlane<Context>(options: ControlPlaneOptions<Context>): Promise<ControlPlane> {
  const isSecure = options.isSecure || !isLoopback(options.host);
  const app = fastifyOf(options, isSecure);
  const requests = new Requests(options);
  // Bodies are octets: what they mean is up to the operation. No route is fastify's own.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", { parseAs: "buffer" }, (_request, body, done) => done(null, body));
  app.addHook("onRequest", async (request, reply) => requests.begin(request, reply));
  app.setNotFoundHandler((request, reply) => requests.carryOut(request, reply));
  app.setErrorHandler(async (error, request, reply) => requests.fail(error, request, reply));
  try {
    await app.listen({ host: options.host, port: options.port });
  } catch (cause) {
    await app.close();
    throw new BrokerError(
      "ERR_BROKER_LISTEN",
      `cannot listen on ${options.host}:${options.port} for the control plane: ${messageOf(cause)}. ` +
        "Give another port with --control-port, or none with --no-control",
      { cause },
    );
  }
  return running(app, isSecure);
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
    call.parts = partsOf(request.raw);
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
    let answer: object | undefined;
    try {
      answer = await operation.handle(this.#options.contextOf(caller), { labels, query, headers: parts.headers, body });
    } catch (error) {
      throw exceptionOf(error, operation.exceptions) ?? error;
    }
    this.#log(request, 200, undefined);
    void reply.code(200);
    return answer === undefined ? reply.send() : reply.type("application/json").send(JSON.stringify(answer));
  }

  /** Answers an exception. */
  fail(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
    const exception = serviceErrorOf(error);
    this.#log(request, exception.statusCode, exception);
    if (exception.code === "InternalFailureException") {
      const { requestId, operation } = this.#calls.get(request.raw) ?? {};
      this.#options.log.error({ requestId, operation, reason: stackOf(error) }, "control plane failed");
    }
    return answerException(reply, exception);
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

function fastifyOf<Context>(options: ControlPlaneOptions<Context>, isSecure: boolean): FastifyInstance {
  const server = { maxHeaderSize: maximumHeaderOctets, connectionsCheckingInterval: 500 };
  const requestTimeout = options.requestTimeoutMs ?? defaultRequestTimeoutMs;
  const shared = {
    bodyLimit: maximumBodyOctets,
    requestTimeout,
    keepAliveTimeout: keepAliveTimeoutMs,
    forceCloseConnections: true,
    exposeHeadRoutes: false,
    clientErrorHandler: answerBrokenRequest,
    frameworkErrors: (error: Error, _request: unknown, reply: FastifyReply) => {
      void answerException(reply, serviceErrorOf(error));
    },
  };
  // The types of fastify tell HTTP and HTTPS apart; what is used of them here is the same.
  const app = isSecure
    ? // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- see above
      (Fastify({
        ...shared,
        https: { ...server, cert: options.certificate, key: options.privateKey, minVersion: "TLSv1.2" },
      }) as unknown as FastifyInstance)
    : Fastify({ ...shared, http: server });
  app.server.headersTimeout = requestTimeout;
  app.server.maxConnections = maximumConnections;
  return app;
}

function running(app: FastifyInstance, isSecure: boolean): ControlPlane {
  const server: HttpServer | HttpsServer = app.server;
  const address = server.address();
  if (address === null || typeof address === "string") throw new TypeError("the control plane has no address");
  const host = address.family === "IPv6" ? `[${address.address}]` : address.address;
  return {
    address,
    url: `${isSecure ? "https" : "http"}://${host}:${address.port}`,
    setCertificate(certificate, privateKey) {
      if (server instanceof HttpsServer) {
        server.setSecureContext({ cert: certificate, key: privateKey, minVersion: "TLSv1.2" });
      }
    },
    close: () => app.close(),
  };
}

function partsOf(request: IncomingMessage): SignedParts {
  const headers = new Map<string, string>();
  for (const [name, value] of Object.entries(request.headers)) {
    if (value !== undefined) headers.set(name, Array.isArray(value) ? value.join(",") : value);
  }
  return { method: request.method ?? "", target: readTarget(request.url ?? ""), headers };
}

/** Every error is an exception with a name; a defect says nothing of itself. */
function serviceErrorOf(error: unknown): ServiceError {
  const exception = exceptionOf(error, []);
  if (exception !== undefined) return exception;
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  if (code === "FST_ERR_CTP_BODY_TOO_LARGE") {
    return new ServiceError("RequestEntityTooLargeException", `the body has more than ${maximumBodyOctets} octets`);
  }
  if (code.startsWith("FST_ERR_CTP_") || code === "FST_ERR_BAD_URL") {
    return new ServiceError("InvalidRequestException", "the request cannot be read");
  }
  return new ServiceError("InternalFailureException", "the operation failed: the broker's log says why");
}

function answerException(reply: FastifyReply, exception: ServiceError): FastifyReply {
  // What is left of the request's body is not read any more.
  if (!reply.request.raw.complete) reply.header("connection", "close");
  return reply
    .code(exception.statusCode)
    .header("x-amzn-errortype", exception.code)
    .type("application/json")
    .send(bodyOf(exception));
}

function bodyOf({ code, message, members }: ServiceError): string {
  return JSON.stringify({ __type: code, message, ...members });
}

/** Answers what never became a request: too many headers, no HTTP, a request that came too slowly. */
function answerBrokenRequest(error: NodeJS.ErrnoException, socket: Duplex | Socket): void {
  if (error.code === "ECONNRESET" || socket.destroyed) return;
  const status = error.code === "HPE_HEADER_OVERFLOW" ? 431 : error.code === "ERR_HTTP_REQUEST_TIMEOUT" ? 408 : 400;
  const reasons = { 400: "Bad Request", 408: "Request Timeout", 431: "Request Header Fields Too Large" } as const;
  const name = status === 408 ? "RequestTimeoutException" : "InvalidRequestException";
  const body = JSON.stringify({ __type: name, message: `the request cannot be read: ${reasons[status]}` });
  if (socket.writable) {
    socket.write(
      `HTTP/1.1 ${status} ${reasons[status]}\r\ncontent-type: application/json\r\nx-amzn-errortype: ${name}\r\n` +
        `content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
    );
  }
  socket.destroy();
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

const loopback = new BlockList();
loopback.addSubnet("127.0.0.0", 8, "ipv4");
loopback.addAddress("::1", "ipv6");

function isLoopback(host: string): boolean {
  const family = isIP(host);
  return host === "localhost" || (family !== 0 && loopback.check(host, family === 4 ? "ipv4" : "ipv6"));
}
