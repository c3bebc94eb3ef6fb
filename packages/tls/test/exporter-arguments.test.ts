/** What can be asked of an exporter. */

import { expect, it } from "vitest";
import { connect } from "./pair.ts";

it("takes an empty label in TLS 1.2 only, where it has room for it (RFC 5705 §4, RFC 8446 §7.1)", () => {
  const old = connect({ client: { versions: ["TLSv1.2"] } });
  const exported = old.client.exportKeyingMaterial(32, "");
  expect(exported).toEqual(old.server.exportKeyingMaterial(32, ""));
  expect(exported).not.toEqual(old.server.exportKeyingMaterial(32, "", new Uint8Array(0)));
  expect(() => connect().client.exportKeyingMaterial(32, "")).toThrow("A label has 1 to 249 characters");
});
