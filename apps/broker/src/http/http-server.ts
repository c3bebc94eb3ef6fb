/**
 * What the HTTP servers of the broker have in common: limits on what a client may send and how long it may take, and errors that are
 * always an exception of AWS's with a JSON body.
 */

import { createServer, STATUS_CODES, type IncomingMessage, type RequestListener, type Server } from "node:http";
import { createServer as createHttpsServer, type Server as HttpsServer } from "node:https";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import { exceptionOf } from "./registry-exception.ts";
import { ServiceError, type ExceptionName } from "./service-error.ts";

/** What a server of requests is made with. */
export interface HttpServerOptions {
  /** PEM, for HTTPS; undefined for a server that is handed plaintext. */
  readonly tls?: { readonly certificate: string; readonly privateKey: string } | undefined;
  /** Octets that a body may have. */
  readonly maximumBodyOctets: number;
  /** How long a request may take to arrive. Default 10,000. */
  readonly requestTimeoutMs?: number | undefined;
  /** Called when the header of a request has come. What it throws is answered, and the body is not read. */
  readonly begin: (request: FastifyRequest, reply: FastifyReply) => void;
  /** Called when the body has come; `request.body` is a `Buffer`, or undefined without one. What it throws is answered. */
  readonly carryOut: (request: FastifyRequest, reply: FastifyReply) => Promise<FastifyReply>;
  /** Called with the exception before it is answered; `cause` is what was thrown. */
  readonly onException: (exception: ServiceError, cause: unknown, request: FastifyRequest) => void;
}

/** Octets of all header fields of a request. */
const maximumHeaderOctets = 16 * 1024;
const defaultRequestTimeoutMs = 10_000;
const keepAliveTimeoutMs = 60_000;
/** How often it is looked which requests have taken too long. */
const timeoutCheckMs = 500;
/** How long a client may take to read an answer after which the connection ends. */
const lastAnswerTimeoutMs = 1000;

/** Makes a server that does not listen yet. */
export function createHttpServer(options: HttpServerOptions): FastifyInstance<Server | HttpsServer> {
  const requestTimeout = options.requestTimeoutMs ?? defaultRequestTimeoutMs;
  const app: FastifyInstance<Server | HttpsServer> = Fastify<Server | HttpsServer>({
    bodyLimit: options.maximumBodyOctets,
    forceCloseConnections: true,
    exposeHeadRoutes: false,
    clientErrorHandler: answerBrokenRequest,
    frameworkErrors: (error: Error, _request: unknown, reply: FastifyReply) => {
      void answerException(reply, serviceErrorOf(error));
    },
    serverFactory: (handler) => serverOf(options.tls, handler, requestTimeout),
  });
  // Bodies are octets: what they mean is up to the operation. No route is fastify's own.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", { parseAs: "buffer" }, (_request, body, done) => done(null, body));
  app.addHook("onRequest", async (request, reply) => options.begin(request, reply));
  app.setNotFoundHandler((request, reply) => options.carryOut(request, reply));
  app.setErrorHandler(async (error, request, reply) => {
    const exception = isTooLarge(error)
      ? new ServiceError("RequestEntityTooLargeException", `the body has more than ${options.maximumBodyOctets} octets`)
      : serviceErrorOf(error);
    options.onException(exception, error, request);
    return answerException(reply, exception);
  });
  return app;
}

function serverOf(
  tls: HttpServerOptions["tls"],
  handler: RequestListener,
  requestTimeout: number,
): Server | HttpsServer {
  const limits = {
    maxHeaderSize: maximumHeaderOctets,
    connectionsCheckingInterval: timeoutCheckMs,
    headersTimeout: requestTimeout,
    requestTimeout,
    keepAliveTimeout: keepAliveTimeoutMs,
  };
  if (tls === undefined) return createServer(limits, handler);
  return createHttpsServer({ ...limits, cert: tls.certificate, key: tls.privateKey, minVersion: "TLSv1.2" }, handler);
}

/** The fields of a request's header, with names in lower case; one that was sent twice has both values, separated by a comma. */
export function headersOf(request: IncomingMessage): ReadonlyMap<string, string> {
  const headers = new Map<string, string>();
  for (const [name, value] of Object.entries(request.headers)) {
    if (value !== undefined) headers.set(name, Array.isArray(value) ? value.join(",") : value);
  }
  return headers;
}

/** Every error is an exception with a name; a defect says nothing of itself. */
function serviceErrorOf(error: unknown): ServiceError {
  const exception = exceptionOf(error, []);
  if (exception !== undefined) return exception;
  const code = codeOf(error);
  if (code.startsWith("FST_ERR_CTP_") || code === "FST_ERR_BAD_URL") {
    return new ServiceError("InvalidRequestException", "the request cannot be read");
  }
  return new ServiceError("InternalFailureException", "the operation failed: the broker's log says why");
}

function isTooLarge(error: unknown): boolean {
  return codeOf(error) === "FST_ERR_CTP_BODY_TOO_LARGE";
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}

function answerException(reply: FastifyReply, exception: ServiceError): FastifyReply {
  const { code, message, members } = exception;
  // What is left of the request's body is not read any more.
  if (!reply.request.raw.complete) reply.header("connection", "close");
  return reply
    .code(exception.statusCode)
    .header("x-amzn-errortype", code)
    .type("application/json")
    .send(JSON.stringify({ __type: code, message, ...members }));
}

/** Answers a request for an upgrade by an exception, and ends the connection. */
export function refuseUpgrade(error: unknown, socket: Duplex): ServiceError {
  const exception = serviceErrorOf(error);
  answerAtLast(socket, exception.statusCode, exception.code, exception.message);
  return exception;
}

/** Answers what never became a request: too many headers, no HTTP, a request that came too slowly. */
function answerBrokenRequest(error: NodeJS.ErrnoException, socket: Duplex | Socket): void {
  if (error.code === "ECONNRESET") {
    socket.destroy();
    return;
  }
  const status = error.code === "HPE_HEADER_OVERFLOW" ? 431 : error.code === "ERR_HTTP_REQUEST_TIMEOUT" ? 408 : 400;
  const name = status === 408 ? "RequestTimeoutException" : "InvalidRequestException";
  answerAtLast(socket, status, name, `the request cannot be read: ${STATUS_CODES[status] ?? ""}`);
}

/** Writes an answer of its own to a connection that ends with it. */
function answerAtLast(socket: Duplex, status: number, name: ExceptionName, message: string): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const body = JSON.stringify({ __type: name, message });
  // Node's parser reads no more. What still comes is read and dropped, or the answer could be lost in a reset.
  socket.on("data", () => {});
  const timer = setTimeout(() => socket.destroy(), lastAnswerTimeoutMs);
  socket.once("close", () => clearTimeout(timer));
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}\r\ncontent-type: application/json\r\nx-amzn-errortype: ${name}\r\n` +
      `content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
    () => socket.destroy(),
  );
}
