/** One connection with the runner: the handshake, then data that is sent back with all its bits turned. */

import { connect, type Socket } from "node:net";
import { once } from "node:events";
import { setImmediate } from "node:timers/promises";
import {
  createTlsClient,
  createTlsServer,
  type NeedEvent,
  type TlsEngine,
  type TlsError,
  type TlsEvent,
} from "@latchkey/tls";
import {
  clientConfig,
  credentialOf,
  isAsynchronous,
  serverConfig,
  type SharedState,
  verifierOf,
} from "./engine-config.ts";
import { checkCredentialRequest, checkInfo, expect } from "./expectations.ts";
import type { Flags } from "./flags.ts";
import { TrafficSecretLog } from "./traffic-secret-log.ts";

const hello = Buffer.from("hello");

/** Connects, and does what the flags say. Returns why the connection failed, if it did. */
export async function exchange(
  flags: Flags,
  shared: SharedState,
  isResumption: boolean,
): Promise<TlsError | undefined> {
  const socket = await connectTo(flags.number("-port") ?? 0);
  const one = new Exchange(flags, shared, isResumption, socket);
  const error = await one.run();
  shared.session = one.session;
  return error;
}

async function connectTo(port: number): Promise<Socket> {
  for (const host of ["::1", "127.0.0.1"]) {
    const socket = connect({ host, port, noDelay: true });
    try {
      await once(socket, "connect");
      return socket;
    } catch {
      socket.destroy();
    }
  }
  throw new Error(`Nothing listens on port ${port}`);
}

class Exchange {
  session: SharedState["session"];
  readonly #flags: Flags;
  readonly #shared: SharedState;
  readonly #isResumption: boolean;
  readonly #socket: Socket;
  readonly #engine: TlsEngine;
  readonly #secrets = new TrafficSecretLog();
  #error: TlsError | undefined;
  #isDone = false;
  #sawPeerClose = false;
  /** `-read-with-unfinished-write`: what was written is kept until data came. */
  #keepsOutput = false;
  /** Answers to the engine's questions, which it gets in a later turn. */
  readonly #answers: (() => void)[] = [];

  constructor(flags: Flags, shared: SharedState, isResumption: boolean, socket: Socket) {
    this.#flags = flags;
    this.#shared = shared;
    this.#isResumption = isResumption;
    this.#socket = socket;
    const keyLog = (line: string): void => this.#secrets.add(line);
    this.#engine = flags.has("-server")
      ? createTlsServer(serverConfig(flags, shared, keyLog))
      : createTlsClient(clientConfig(flags, shared, keyLog));
  }

  async run(): Promise<TlsError | undefined> {
    this.#pump();
    try {
      for await (const chunk of this.#socket) await this.#receive(chunk);
    } catch (error) {
      // The runner gave up by a reset. What it thought of the connection is its to say.
      if (!isSystemError(error)) throw error;
    }
    this.#engine.receiveEnd();
    this.#pump();
    if (this.#error?.code === "ERR_TLS_TRUNCATED" && this.#isTruncationFine) this.#error = undefined;
    if (this.#error === undefined) this.#checkEnd();
    return this.#error;
  }

  get #isTruncationFine(): boolean {
    return this.#engine.info !== undefined && !this.#flags.has("-check-close-notify");
  }

  /** What came after the end is read and dropped, so that the runner can still write. */
  async #receive(chunk: Buffer): Promise<void> {
    const step = isAsynchronous(this.#flags) ? 1 : chunk.length;
    for (let at = 0; at < chunk.length && !this.#isDone; at += step) {
      this.#engine.receive(chunk.subarray(at, at + step));
      this.#pump();
    }
    while (this.#answers.length > 0) {
      const answer = this.#answers.shift();
      await setImmediate();
      answer?.();
      this.#pump();
    }
  }

  /** Hands out what the engine has, until it has nothing. */
  #pump(): void {
    this.#flush();
    for (let event = this.#engine.next(); event !== undefined; event = this.#engine.next()) {
      this.#handle(event);
      this.#flush();
    }
  }

  #flush(): void {
    if (this.#keepsOutput || this.#isDone) return;
    const output = this.#engine.takeOutput();
    if (output !== undefined) this.#socket.write(output);
  }

  #handle(event: TlsEvent): void {
    switch (event.type) {
      case "need":
        this.#answer(event);
        break;
      case "handshakeDone":
        if (this.#flags.has("-handshake-never-done")) expect("handshake", "done", "never done");
        checkInfo(this.#flags, event.info, this.#isResumption);
        this.#flush();
        this.#afterHandshake();
        break;
      case "data":
        this.#echo(event.data);
        break;
      case "session":
        this.session = event.session;
        break;
      case "peerClosed":
        this.#sawPeerClose = true;
        if (this.#flags.has("-check-close-notify")) this.#engine.close();
        this.#end();
        break;
      case "failed":
        this.#error = event.error;
        this.#end();
        break;
      case "keyUpdate":
    }
  }

  /** Only with `-async` the engine asks at all. */
  #answer(need: NeedEvent): void {
    this.#answers.push(() => {
      switch (need.need) {
        case "credential": {
          checkCredentialRequest(this.#flags, need.request);
          const credential = credentialOf(this.#flags);
          need.answer(credential && { chain: credential.chain, schemes: credential.schemes });
          break;
        }
        case "sign":
          need.answer(credentialOf(this.#flags)?.sign?.(need.scheme, need.data));
          break;
        case "verifyPeer":
          need.answer(verifierOf(this.#flags).verify(need.peer));
          break;
        case "sealTicket":
          need.answer(this.#shared.tickets.seal(need.session));
          break;
        case "openTicket":
          need.answer(this.#shared.tickets.open(need.ticket));
      }
    });
  }

  #afterHandshake(): void {
    const flags = this.#flags;
    const length = flags.number("-export-keying-material") ?? 0;
    if (length > 0) {
      const context = flags.has("-use-export-context") ? Buffer.from(flags.value("-export-context") ?? "") : undefined;
      this.#send(this.#engine.exportKeyingMaterial(length, flags.value("-export-label") ?? "", context));
    }
    if (flags.has("-export-traffic-secrets")) this.#send(this.#secrets.octets(this.#engine.role));
    if (flags.has("-write-different-record-sizes")) {
      for (const octets of [0, 1, 255, 256, 257, 16_383, 16_384, 16_385, 32_767, 32_768, 32_769]) {
        this.#send(Buffer.alloc(octets, 0x42));
      }
    }
    if (flags.has("-read-with-unfinished-write")) {
      this.#keepsOutput = true;
      this.#send(hello);
    } else if (flags.has("-shim-writes-first")) {
      this.#send(hello);
    }
    if (!flags.has("-shim-shuts-down")) return;
    if (flags.has("-check-close-notify")) this.#engine.close();
    else this.#end();
  }

  #echo(data: Uint8Array): void {
    if (this.#flags.has("-shim-shuts-down")) return;
    this.#keepsOutput = false;
    const step = this.#flags.number("-read-size") ?? 512;
    for (let at = 0; at < data.length; at += step) {
      if (this.#flags.has("-use-exporter-between-reads")) this.#engine.exportKeyingMaterial(1, "");
      if (this.#flags.has("-key-update")) this.#engine.updateKeys();
      this.#send(data.subarray(at, at + step).map((octet) => octet ^ 0xff));
    }
  }

  #send(data: Uint8Array): void {
    for (let at = 0; at < data.length;) {
      at += this.#engine.send(data.subarray(at));
      this.#flush();
    }
  }

  #end(): void {
    this.#flush();
    this.#isDone = true;
    this.#socket.end();
  }

  #checkEnd(): void {
    const { info } = this.#engine;
    if (info === undefined) return;
    if (this.#flags.has("-check-close-notify")) expect("close_notify", this.#sawPeerClose, true);
    if (this.#flags.has("-server")) return;
    const isRenewed = !info.isResumption || this.#flags.has("-expect-ticket-renewal");
    // A shim that is the first to close may or may not have seen the ticket.
    if (info.version === "TLSv1.3" && this.#flags.has("-shim-shuts-down")) return;
    const isExpected = info.version === "TLSv1.3" || isRenewed;
    expect("new session", this.session !== undefined, isExpected && !this.#flags.has("-expect-no-session"));
  }
}

function isSystemError(error: unknown): boolean {
  return error instanceof Error && "syscall" in error;
}
