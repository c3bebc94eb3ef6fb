/** `openssl s_client` with a client certificate against the broker: MQTT in each version of TLS, and no renegotiation. */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encode } from "@latchkey/mqtt-codec";
import { findProgram, startProgram } from "@latchkey/tooling-vitest/programs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { RunningControlPlane } from "../control-plane/running-control-plane.ts";
import { allow, makeDevice } from "../data-plane/device-identity.ts";

const openssl = findProgram("openssl");
const connack = new RegExp(String.fromCharCode(0x20, 2, 0, 0));
const connect = encode({ type: "connect", clientIdentifier: "openssl", cleanStart: true }, 4);

describe.skipIf(openssl.path === undefined).each(["node", "latchkey"] as const)(
  `openssl s_client (${openssl.path ?? openssl.skipReason}), TLS engine %s`,
  (tls) => {
    const folder = mkdtempSync(join(tmpdir(), "latchkey-openssl-"));
    let plane: RunningControlPlane;
    beforeAll(async () => {
      plane = await RunningControlPlane.start({ tls });
      const device = await makeDevice(plane, [allow("iot:Connect", "client/openssl")]);
      for (const name of ["ca", "cert", "key"] as const) writeFileSync(join(folder, name), device[name]);
    });
    afterAll(async () => {
      await plane[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true });
    });

    const words = (...more: readonly string[]): string[] => [
      ...["s_client", "-connect", `127.0.0.1:${plane.mqttPort}`, "-servername", "localhost"],
      ...["-cert", join(folder, "cert"), "-key", join(folder, "key"), "-CAfile", join(folder, "ca")],
      ...["-verify_return_error", "-verify_hostname", "localhost", ...more],
    ];

    test.each(["-tls1_2", "-tls1_3"])(
      "%s: the server's certificate is right, and CONNECT is accepted",
      async (version) => {
        const client = startProgram(openssl.path ?? "", words(version, "-quiet"), {
          input: connect,
          keepsInputOpen: true,
        });
        expect(await client.saw(connack)).toBeDefined();
        client.kill();
        await client.finished;
      },
    );

    test.each(["-tls1", "-tls1_1"])("%s is refused", async (version) => {
      const cipher = ["-cipher", "DEFAULT:@SECLEVEL=0"];
      const { code } = await startProgram(openssl.path ?? "", words(version, ...cipher), { input: "" }).finished;
      expect(code).not.toBe(0);
    });

    test("renegotiation is refused: a client cannot become another one", async () => {
      const client = startProgram(openssl.path ?? "", words("-tls1_2", "-no_ign_eof"), {
        input: "R\n",
        keepsInputOpen: true,
      });
      expect(await client.saw(/RENEGOTIATING[\s\S]*no renegotiation/i)).toBeDefined();
      client.kill();
      await client.finished;
    });
  },
);
