/** Metrics and health over plain HTTP: `/metrics`, `/healthz`, `/readyz`. Nothing of it names a client, and nothing can be changed by it. */

import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { messageOf } from "@latchkey/command-line";
import { BrokerError } from "../errors.ts";
import { hostAndPort } from "../http/host-and-port.ts";
import { metricsMediaType } from "./metrics-text.ts";

/** Where it listens, and what it tells. */
export interface MetricsServerOptions {
  readonly host: string;
  /** 0 for any free port. */
  readonly port: number;
  readonly metrics: () => string;
  /** Why the broker takes no clients now, or undefined where it does. */
  readonly unreadyReason: () => string | undefined;
}

/** A server that listens. */
export interface MetricsServer extends AsyncDisposable {
  /** `http://HOST:PORT`. */
  readonly url: string;
}

const requestTimeoutMs = 5000;
const maximumConnections = 64;
const maximumHeaderOctets = 8 * 1024;

/** Starts the server. Throws `ERR_BROKER_LISTEN`. */
export async function startMetricsServer(options: MetricsServerOptions): Promise<MetricsServer> {
  const { host, port } = options;
  const timeouts = { requestTimeout: requestTimeoutMs, headersTimeout: requestTimeoutMs, keepAliveTimeout: 60_000 };
  const server = createServer({ ...timeouts, maxHeaderSize: maximumHeaderOctets }, (request, response) =>
    answer(options, request, response),
  );
  server.maxConnections = maximumConnections;
  try {
    await new Promise<void>((resolve, reject) => server.once("error", reject).listen(port, host, resolve));
  } catch (cause) {
    throw new BrokerError(
      "ERR_BROKER_LISTEN",
      `cannot listen on ${host}:${port} for metrics: ${messageOf(cause)}. Give another port with --metrics-port`,
      { cause },
    );
  }
  server.on("error", () => {});
  const address = server.address();
  if (address === null || typeof address === "string") throw new TypeError("the metrics server has no address");
  return {
    url: `http://${hostAndPort(address.address, address.port)}`,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function answer(options: MetricsServerOptions, request: IncomingMessage, response: ServerResponse): void {
  const [path = ""] = (request.url ?? "").split("?", 1);
  if (request.method !== "GET" && request.method !== "HEAD") {
    response.setHeader("allow", "GET, HEAD");
    end(response, 405, "text/plain", "only GET is possible here\n");
  } else if (path === "/metrics") {
    end(response, 200, metricsMediaType, options.metrics());
  } else if (path === "/healthz") {
    end(response, 200, "text/plain", "ok\n");
  } else if (path === "/readyz") {
    const reason = options.unreadyReason();
    end(response, reason === undefined ? 200 : 503, "text/plain", `${reason ?? "ready"}\n`);
  } else {
    end(response, 404, "text/plain", "there are /metrics, /healthz and /readyz\n");
  }
}

function end(response: ServerResponse, status: number, type: string, text: string): void {
  response.writeHead(status, { "content-type": type, "cache-control": "no-store" }).end(text);
}
