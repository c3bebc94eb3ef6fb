/** Every valid end entity of limbo, compared with what node and @peculiar/x509 read in it. */

import { readLimboCases } from "@latchkey/tooling-vitest/limbo";
import { hasVectors } from "@latchkey/tooling-vitest/vectors";
import { describe, expect, it } from "vitest";
import { certificatesFromPem } from "../src/index.ts";
import { agreesWithPeers } from "./peers.ts";

function limboCertificates(): Uint8Array[] {
  const testcases = readLimboCases() as readonly { peer_certificate: string; expected_result: string }[];
  return testcases
    .filter(({ expected_result: result }) => result === "SUCCESS")
    .flatMap(({ peer_certificate: pem }) => certificatesFromPem(pem).map(({ encoding }) => encoding));
}

describe.skipIf(!hasVectors("limbo.json"))("limbo's certificates: the same as", () => {
  agreesWithPeers(limboCertificates);

  it("are as many as expected", () => {
    expect(limboCertificates().length).toBeGreaterThan(45);
  });
});
