/** The button in a pseudo-terminal, as a process of its own: keys in, what the screen shows out. */

import { spawn } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findProgram, runProgram } from "@latchkey/tooling-vitest/programs";
import { certificateToPem, deviceCertificate, makeName, serverCertificate } from "@latchkey/x509";
import { afterAll, beforeAll, expect, test } from "vitest";
import { authority, buttonWords, issue, listen, validity } from "./workshop.ts";

const script = findProgram("script");
const serialNumber = "G030JF055364XVRB";
const folder = mkdtempSync(join(tmpdir(), "latchkey-hand-"));
const device = join(folder, "button");
const root = authority("Root");
const tls = issue(root, serverCertificate({ validity, dnsNames: ["localhost"] }));
const got: string[] = [];
let status = 200;
const server = createServer(
  { cert: tls.certificate, key: tls.privateKey, ca: certificateToPem(root.certificate), requestCert: true },
  (request, response) => {
    let body = "";
    request.on("data", (chunk: Buffer) => (body += chunk.toString()));
    request.once("end", () => {
      got.push(body);
      response.writeHead(status).end(JSON.stringify({ message: status === 200 ? "OK" : "Forbidden" }));
    });
  },
);

beforeAll(async () => {
  const port = await listen(server);
  const subject = makeName([{ type: "serialNumber", value: serialNumber }]);
  const identity = issue(root, deviceCertificate({ subject, validity }));
  mkdirSync(device);
  writeFileSync(join(device, "certificate.pem"), identity.certificate);
  writeFileSync(join(device, "private.key"), identity.privateKey);
  chmodSync(join(device, "private.key"), 0o600);
  writeFileSync(join(device, "root-ca.pem"), certificateToPem(root.certificate));
  writeFileSync(join(device, "button.json"), JSON.stringify({ serialNumber, httpsPort: port }));
});
afterAll(() => {
  server.close();
  rmSync(folder, { recursive: true });
});

/** The button in a terminal. */
function inTerminal(): {
  readonly keys: (text: string) => void;
  /** Waits until the screen has shown the text since the last call. */
  readonly shows: (text: string) => Promise<void>;
  /** Waits until the LED is dark: the cursor's line is empty. */
  readonly isDark: () => Promise<void>;
  readonly ended: Promise<number | null>;
  readonly screen: () => string;
} {
  const words = [process.execPath, ...buttonWords("--device", device, "--interactive")].map((one) => `'${one}'`);
  const child = spawn(script.path ?? "", ["-qfec", words.join(" "), "/dev/null"], {
    stdio: "pipe",
    env: { ...process.env, TERM: "xterm-256color", NO_COLOR: "1" },
  });
  let screen = "";
  let seen = 0;
  child.stdout.on("data", (chunk: Buffer) => (screen += chunk.toString()));
  const timer = setTimeout(() => child.kill("SIGKILL"), 100_000);
  const ended = new Promise<number | null>((resolve) => {
    child.once("close", (code) => {
      clearTimeout(timer);
      resolve(code);
    });
  });
  return {
    keys: (text) => child.stdin.write(text),
    shows: async (text) => {
      const found = (): RegExpExecArray | null => new RegExp(text).exec(screen.slice(seen));
      await expect
        .poll(found, { timeout: 20_000, message: `${text} in ${JSON.stringify(screen.slice(seen))}` })
        .not.toBeNull();
      const match = found();
      seen += (match?.index ?? 0) + (match?.[0].length ?? 0);
    },
    isDark: async () => {
      await expect.poll(() => screen.endsWith("\r\u001B[2K"), { timeout: 20_000 }).toBe(true);
    },
    ended,
    screen: () => screen,
  };
}

/** Events of the kitty keyboard protocol for the space bar. */
const down = "\u001B[32;1:1u";
const up = "\u001B[32;1:3u";

test.skipIf(script.path === undefined)(`space is the button (${script.path ?? script.skipReason})`, async () => {
  const terminal = inTerminal();
  await terminal.shows("This is button G030JF055364XVRB. The space bar presses it");
  // The keyboard's own way, without releases.
  terminal.keys(" ");
  await terminal.shows(`SINGLE acknowledged: iotbutton/${serialNumber}`);
  expect(terminal.screen()).toContain("● LED white, blinking: SINGLE");
  await terminal.shows("LED green");
  await terminal.isDark();
  terminal.keys(`${down}${up}${down}${up}`);
  await terminal.shows("DOUBLE acknowledged[^]*LED green");
  await terminal.isDark();
  terminal.keys(down);
  // How long the key is held is what is tested: 1.5 seconds and more is a long press.
  await new Promise((resolve) => setTimeout(resolve, 1600));
  terminal.keys(up);
  await terminal.shows("LONG acknowledged[^]*LED green");
  await terminal.isDark();
  status = 403;
  terminal.keys(`${down}${up}`);
  await terminal.shows("SINGLE failed at the layer permission\\. ERR_BUTTON_FORBIDDEN: HTTP 403");
  await terminal.shows("LED red, long short long");
  await terminal.isDark();
  terminal.keys("q");
  expect(await terminal.ended).toBe(0);
  // Keyboard and cursor are the shell's again.
  expect(terminal.screen()).toContain("\u001B[<u\u001B[?25h");
  expect(got.map((body) => JSON.parse(body).clickType)).toEqual(["SINGLE", "DOUBLE", "LONG", "SINGLE"]);
  expect(got.map((body) => JSON.parse(body).batteryVoltage)[0]).toBe("1740mV");
  expect(JSON.parse(readFileSync(join(device, "battery.json"), "utf8"))).toMatchObject({ presses: 4 });
});

test("without a terminal says what to do instead", async () => {
  const { code, stderr } = await runProgram(process.execPath, buttonWords("--device", device, "--interactive"));
  expect(code).toBe(1);
  expect(stderr).toBe("ERR_BUTTON_USAGE: --interactive needs a terminal; in a script choose the click with --click\n");
});
