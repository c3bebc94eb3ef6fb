import { expect, test } from "vitest";
import { tellStory } from "../src/story.ts";

test("the story is told to its good end, and names the packages that verified it", async () => {
  const lines: string[] = [];
  expect(await tellStory((line) => lines.push(line))).toBe(true);
  const text = lines.join("\n");
  for (const name of ["x509", "chain", "policy", "mqtt-codec", "broker-core"]) expect(text).toContain(`   ${name}`);
  expect(text).toContain("acknowledged: iotbutton/G030JF055364XVRB");
  expect(text).toMatch(/refused \(implicit-deny\)/);
}, 60_000);
