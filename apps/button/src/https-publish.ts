/** One message by HTTPS, as the AWS IoT Button sends it: `POST /topics/TOPIC?qos=1` (AWS IoT data plane API, Publish). */

import { request } from "node:http";
import type { Duplex } from "node:stream";
import { ButtonError, closedBeforeAnswer, connectionFailure, isPlainEnd } from "./errors.ts";

/** A message for a topic. */
export interface HttpsPublish {
  /** Host and port as the Host header has them. */
  readonly authority: string;
  readonly topicName: string;
  readonly qos: 0 | 1;
  readonly payload: Uint8Array;
  readonly timeoutMs: number;
}

/** What the server answered. */
export interface HttpsAnswer {
  readonly status: number;
  /** The body, as text. */
  readonly body: string;
  /** The header `x-amzn-errortype`: the name of the error. */
  readonly errorType: string | undefined;
}

/** Octets of an answer that are read; one has some hundred. */
const maximumBodyOctets = 65_536;

/** The path of a topic. Its slashes stay slashes, everything else that has a meaning in a URL is encoded. */
export function topicPath(topicName: string, qos: 0 | 1): string {
  return `/topics/${topicName.split("/").map(encodeURIComponent).join("/")}?qos=${qos}`;
}

/**
 * Sends one message over a connection and reads the whole answer, of any status. The connection is closed.
 *
 * Rejects with `ERR_BUTTON_CERTIFICATE_REFUSED` where the server ends the connection without an answer or by an alert about the
 * certificate, with `ERR_BUTTON_TIMEOUT`, `ERR_BUTTON_PROTOCOL` and `ERR_BUTTON_TLS`.
 */
export function publishByHttps(stream: Duplex, message: HttpsPublish): Promise<HttpsAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<HttpsAnswer>();
  let isAnswering = false;
  const end = (settle: () => void): void => {
    clearTimeout(timer);
    settle();
    stream.destroy();
  };
  const timer = setTimeout(() => {
    const why = `no answer within ${message.timeoutMs} ms`;
    end(() => reject(new ButtonError("ERR_BUTTON_TIMEOUT", why)));
  }, message.timeoutMs);
  if (stream.destroyed) {
    end(() => reject(closedBeforeAnswer()));
    return promise;
  }
  const sending = request({
    createConnection: () => stream,
    method: "POST",
    path: topicPath(message.topicName, message.qos),
    headers: {
      host: message.authority,
      "content-type": "application/json",
      "content-length": message.payload.length,
      connection: "close",
    },
  });
  sending.once("response", (response) => {
    isAnswering = true;
    const chunks: Buffer[] = [];
    let octets = 0;
    response.on("data", (chunk: Buffer) => {
      octets += chunk.length;
      if (octets <= maximumBodyOctets) chunks.push(chunk);
      else response.destroy(new Error(`the answer is longer than ${maximumBodyOctets} octets`));
    });
    response.once("error", (cause) => end(() => reject(failureOf(cause, isAnswering))));
    response.once("end", () => {
      const errorType = response.headers["x-amzn-errortype"];
      const answer = {
        status: response.statusCode ?? 0,
        body: Buffer.concat(chunks).toString("utf8"),
        errorType: typeof errorType === "string" ? errorType : undefined,
      };
      end(() => resolve(answer));
    });
  });
  sending.once("error", (cause) => end(() => reject(failureOf(cause, isAnswering))));
  sending.end(message.payload);
  return promise;
}

function failureOf(cause: Error & { readonly code?: string }, isAnswering: boolean): ButtonError {
  if (cause.code?.startsWith("HPE_") === true || (isAnswering && !isPlainEnd(cause))) {
    return new ButtonError("ERR_BUTTON_PROTOCOL", `the server does not speak HTTP: ${cause.message}`, { cause });
  }
  if (isPlainEnd(cause)) return closedBeforeAnswer(cause);
  return connectionFailure(cause);
}
