import { pino } from "pino";
import { expect, test } from "vitest";
import { HandshakeLog } from "../../src/observability/handshake-log.ts";

function logged(run: (handshakes: HandshakeLog) => void): Record<string, unknown>[] {
  const lines: Record<string, unknown>[] = [];
  const write = (line: string): void => void lines.push(JSON.parse(line) as Record<string, unknown>);
  const handshakes = new HandshakeLog(pino({ base: null }, { write }));
  run(handshakes);
  handshakes[Symbol.dispose]();
  return lines;
}

test("an address whose handshakes fail without end has a bounded number of lines, and others keep theirs", () => {
  const lines = logged((handshakes) => {
    for (let port = 0; port < 5000; port++) handshakes.failed(`10.0.0.1:${port}`, "no TLS");
    handshakes.failed("10.0.0.2:1", "no TLS");
  });
  expect(lines).toHaveLength(22);
  expect(lines[20]).toMatchObject({ remote: "10.0.0.2:1", msg: "TLS handshake failed" });
  expect(lines[21]).toMatchObject({ remote: "10.0.0.1:4999", times: 4980 });
});

test("a client that is refused again and again, likewise", () => {
  const refusal = { ok: false, code: "ERR_IDENTITY_NO_CERTIFICATE", reason: "the client sent no certificate" } as const;
  const lines = logged((handshakes) => {
    for (let port = 0; port < 100; port++) {
      handshakes.refused({ remote: `[::1]:${port}`, protocol: "TLSv1.3" }, refusal);
    }
  });
  expect(lines).toHaveLength(21);
  expect(lines[0]).toMatchObject({ msg: "client refused", code: refusal.code, mend: expect.any(String) });
  expect(lines[20]).toMatchObject({ code: refusal.code, reason: refusal.reason, times: 80 });
});

test("connections above a limit, likewise: one line for each address, and a count", () => {
  const lines = logged((handshakes) => {
    for (let port = 0; port < 1000; port++) handshakes.notAdmitted(`10.0.0.1:${port}`, "maximumConnections", 5);
    handshakes.notAdmitted("10.0.0.2:1", "maximumConnections", 5);
  });
  expect(lines.map(({ remote, times, msg }) => [remote, times, msg])).toEqual([
    ["10.0.0.1:0", undefined, "not admitted"],
    ["10.0.0.2:1", undefined, "not admitted"],
    ["10.0.0.1:999", 999, "not admitted: this is the last of them"],
  ]);
});
