/** Script of handshake: so many TLS handshakes, full or resumed, each on a connection of its own. */

import type { Socket } from "node:net";
import { ClientFailure, failureKind, openSocket, tlsOf } from "../client.ts";
import { nowMs, pause } from "../clock.ts";
import { Schedule } from "../schedule.ts";
import type { WorkerContext } from "../worker-context.ts";

const timeoutMs = 20_000;
/** How long a target may take to send the ticket of a session behind its handshake. */
const ticketTimeoutMs = 2000;
/** Handshakes of each worker before those that are measured. */
const mostWarmUp = 100;

/** Runs one worker's share. */
export async function runHandshakes(context: WorkerContext): Promise<void> {
  const { settings } = context.task;
  const { count, rate, resumed, duration, rampUp, concurrency, clients } = settings;
  const own = context.share(count);
  const firstDevice = context.shareStart(clients);
  const devices = Math.max(1, context.share(clients));
  const sessions = new Map<number, Buffer>();
  const ownConcurrency = Math.max(1, context.share(concurrency));
  const deviceOf = (k: number): number => firstDevice + (k % devices);

  await context.prepare(firstDevice, Math.min(devices, own));
  await context.pace({
    count: resumed ? Math.min(devices, own) : Math.min(mostWarmUp, Math.ceil(own / 10)),
    concurrency: ownConcurrency,
    operation: async (k) => {
      await context.attempt(async () => {
        const socket = await open(context, deviceOf(k));
        if (resumed) sessions.set(deviceOf(k), await sessionOf(socket));
        await leave(socket);
      });
    },
  });

  const startMs = await context.arrive("ready");
  const schedule =
    rate === 0 ? undefined : new Schedule({ startMs, ratePerSecond: (rate * own) / count, rampUpSeconds: rampUp });
  await context.pace({
    // Those of the ramp-up do not count.
    count: own + (schedule?.countInRamp ?? 0),
    concurrency: ownConcurrency,
    untilMs: startMs + (rampUp + duration) * 1000,
    schedule,
    operation: async (k, dueMs) => {
      await context.measure(dueMs, async () => {
        const session = sessions.get(deviceOf(k));
        if (resumed && session === undefined) throw new ClientFailure("no session to resume");
        const socket = await open(context, deviceOf(k), session);
        const doneMs = nowMs();
        if (resumed) {
          if (!tlsOf(socket).isSessionReused()) {
            socket.destroy();
            throw new ClientFailure("the session was not resumed");
          }
          tlsOf(socket).once("session", (next) => sessions.set(deviceOf(k), next));
        }
        await leave(socket);
        return doneMs;
      });
    },
  });
  await context.arrive("sent");
}

/** A socket after its handshake. */
async function open(context: WorkerContext, device: number, session?: Buffer): Promise<Socket> {
  const socket = await openSocket(context.task.endpoint, context.secureContext(device), timeoutMs, session);
  context.connections++;
  socket.once("close", () => context.connections--);
  return socket;
}

/**
 * Says goodbye and waits for the target's: in TLS 1.3 a client is done before the server has seen its certificate, so only an
 * orderly end shows that the server took it.
 */
function leave(socket: Socket): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      socket.destroy();
      reject(new ClientFailure("the target did not close"));
    }, timeoutMs);
    socket.once("error", (error) => {
      clearTimeout(timer);
      reject(new ClientFailure(`refused after the handshake: ${failureKind(error)}`, { cause: error }));
    });
    socket.once("close", () => {
      clearTimeout(timer);
      resolve();
    });
    socket.resume();
    socket.end();
  });
}

/** The session of a connection: in TLS 1.3 its ticket comes after the handshake. */
export async function sessionOf(socket: Socket): Promise<Buffer> {
  const tls = tlsOf(socket);
  if (tls.getProtocol() === "TLSv1.2") {
    const session = tls.getSession();
    if (session !== undefined) return session;
  }
  socket.resume();
  const ticket = new Promise<Buffer>((resolve) => tls.once("session", resolve));
  const session = await Promise.race([ticket, pause(ticketTimeoutMs)]);
  if (session === undefined) {
    socket.destroy();
    throw new ClientFailure("the target sent no session ticket");
  }
  return session;
}
