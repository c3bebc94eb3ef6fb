/** The listening half of the Node servers: mutual TLS with the bench's certificates, or TCP. */

import { readFileSync } from "node:fs";
import { createServer as createTcpServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import type { ServerConfiguration } from "./node-server.ts";

/** Listens on a free loopback port, hands every connection to `serve` after its handshake, and prints `ready PORT`. */
export function serve(onConnection: (socket: Socket) => void): void {
  const file = process.argv[2];
  if (file === undefined) throw new Error("the name of a configuration file is missing");
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- written by node-server.ts
  const configuration = JSON.parse(readFileSync(file, "utf8")) as ServerConfiguration;
  const server = makeServer(configuration, (socket) => {
    socket.on("error", () => socket.destroy());
    onConnection(socket);
  });
  server.listen({ port: 0, host: "127.0.0.1", backlog: 4096 }, () => {
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("the listener has no address");
    process.stdout.write(`ready ${address.port}\n`);
  });
  process.once("SIGTERM", () => process.exit(0));
}

function makeServer(configuration: ServerConfiguration, onConnection: (socket: Socket) => void): Server {
  const { isPlain, certificate, privateKey, deviceAuthority } = configuration;
  if (isPlain) return createTcpServer({ noDelay: true }, onConnection);
  return createTlsServer(
    {
      cert: certificate,
      key: privateKey,
      ca: deviceAuthority,
      minVersion: "TLSv1.2",
      requestCert: true,
      rejectUnauthorized: true,
      noDelay: true,
    },
    onConnection,
  );
}
