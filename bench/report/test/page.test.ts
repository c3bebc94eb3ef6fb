import { existsSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { findProgram, runProgram } from "@latchkey/tooling-vitest/programs";
import { chromium, type BrowserContext, type Page } from "playwright-core";
import { afterAll, expect, test, vi } from "vitest";
import { reportPage } from "../src/page.ts";
import { parseResultFile } from "../src/result-file.ts";
import { loadFile, loadRow, microFile, microRow } from "./sample-files.ts";

const browser = findProgram("chromium");
const main = fileURLToPath(new URL("../src/main.ts", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "latchkey-report-"));
afterAll(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
vi.setConfig({ testTimeout: 120_000 });

const report = (...words: string[]) => runProgram(process.execPath, ["--conditions=@latchkey/source", main, ...words]);

function written(name: string, content: unknown): string {
  const path = join(folder, name);
  writeFileSync(path, JSON.stringify(content));
  return path;
}

const loadPath = written("load.json", loadFile());
const microPath = written("micro.json", microFile());
const pagePath = join(folder, "report.html");

test("a page is made of files of both kinds in any order", async () => {
  const made = await report(microPath, loadPath, "--out", pagePath);
  expect(made).toMatchObject({ code: 0, stdout: expect.stringContaining("2 files") });
  const page = readFileSync(pagePath, "utf8");
  for (const text of [
    "2 x Sample Processor, linux x64, 2600 MHz, kernel 6.1.0",
    "abcdef012345",
    "2026-11-26 12:00 UTC",
    "The generator was the bottleneck: its busiest worker used 97 % of a core.",
    "12 of 1.20 M were lost.",
    "the 95 % interval of the ratio is 18 % wide",
    "8.20× <small>8.04 to 8.36</small>",
    "fan-in/qos0/tls",
    "mosquitto 2.0.11",
  ]) {
    expect(page).toContain(text);
  }
});

test("no file, and a file that is no result, are refused", async () => {
  expect(await report()).toMatchObject({ code: 2, stderr: expect.stringContaining("No file is named") });
  const text = "results[0].opsPerSecond: a number is expected here, a string is there";
  const wrong = written("wrong.json", { results: [{ scenario: "a/b", subject: "s", opsPerSecond: "fast" }] });
  expect(await report(wrong)).toMatchObject({ code: 1, stderr: expect.stringContaining(text) });
});

test("files that are too large, too long or too many are refused before they fill the memory", async () => {
  const large = join(folder, "large.json");
  writeFileSync(large, "[");
  truncateSync(large, 64 * 2 ** 20 + 1);
  const limit = "has 67108865 octets; up to 67108864 are read";
  expect(await report(large)).toMatchObject({ code: 1, stderr: expect.stringContaining(limit) });
  const long = written("long.json", { kind: "load", results: Array.from({ length: 100_001 }, () => 0) });
  expect(await report(long)).toMatchObject({ code: 1, stderr: expect.stringContaining("results: 100001 items") });
  const many = await report(...Array.from({ length: 101 }, () => microPath));
  expect(many).toMatchObject({ code: 2, stderr: expect.stringContaining("101 files are named; up to 100") });
  const device = await report("/dev/zero");
  expect(device).toMatchObject({ code: 1, stderr: expect.stringContaining("it is no regular file") });
});

const hostile = `</script><img src="https://example.invalid/x" onerror='document.title="broken"'>&amp;<!--`;

function hostilePage(): string {
  const row = { ...microRow(`a/${hostile}`, hostile, 2, 9), unit: hostile, peerVersion: hostile, warnings: [hostile] };
  const micro = {
    ...microFile([row]),
    environment: undefined,
    machine: hostile,
    revision: hostile,
    date: hostile,
    node: hostile,
  };
  const load = { ...loadRow(hostile, 1, hostile, 2), target: hostile, notes: [hostile], errors: { [hostile]: 3 } };
  return reportPage([parseResultFile(`${hostile}.json`, micro), parseResultFile("load.json", loadFile([load]))]);
}

test("whatever a file says is text in the page", () => {
  const page = hostilePage();
  expect(page).not.toContain("<img");
  expect(page.split("</script>")).toHaveLength(4);
});

test("an empty file and one without most fields make a page", () => {
  const bare = { results: [{ scenario: "s", target: "t" }] };
  expect(reportPage([parseResultFile("a.json", microFile([])), parseResultFile("b.json", bare)])).toContain(
    "unknown machine",
  );
});

/** Opens a page in a browser of its own; gives what it fetched and what it complained about. */
async function opened(
  path: string,
  colorScheme: "light" | "dark",
  look: (page: Page) => Promise<void>,
): Promise<{ fetched: string[]; complaints: string[] }> {
  const words =
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync";
  const profile = mkdtempSync(join(folder, "profile-"));
  const options = { executablePath: browser.path ?? "", args: words.split(" "), colorScheme };
  const context: BrowserContext = await chromium.launchPersistentContext(profile, options);
  try {
    const page = await context.newPage();
    const fetched: string[] = [];
    const complaints: string[] = [];
    await context.route("**/*", (route) => {
      fetched.push(route.request().url());
      return route.request().url().startsWith("file:") ? route.continue() : route.abort();
    });
    page.on("console", (message) => complaints.push(`${message.type()}: ${message.text()}`));
    page.on("pageerror", (error) => complaints.push(error.message));
    await page.goto(pathToFileURL(path).href);
    await look(page);
    return { fetched, complaints };
  } finally {
    await context.close();
  }
}

/** How far the nearest of some colours is from another one, in the channel that differs most: lines have soft edges. */
function nearest(colours: readonly string[], wanted: string): number {
  const channels = (colour: string): number[] => colour.split(",").map(Number);
  const distance = (colour: string): number =>
    Math.max(...channels(colour).map((value, index) => Math.abs(value - (channels(wanted)[index] ?? 0))));
  return Math.min(...colours.map(distance));
}

/** Of each plot: its size, and how many of its pixels are drawn. */
function plots(page: Page): Promise<{ id: string; width: number; height: number; drawn: number; colours: string[] }[]> {
  return page.evaluate(() =>
    [...document.querySelectorAll<HTMLElement>(".plot")].map((plot) => {
      const canvas = plot.querySelector("canvas");
      const { width = 0, height = 0 } = canvas ?? {};
      // Read from a copy: the browser warns of a canvas that is read more than once and was not made for it.
      const copy = Object.assign(document.createElement("canvas"), { width, height });
      const context = copy.getContext("2d", { willReadFrequently: true });
      if (canvas !== null) context?.drawImage(canvas, 0, 0);
      const { data = [] } = context?.getImageData(0, 0, width, height) ?? {};
      const colours = new Set<string>();
      let drawn = 0;
      for (let at = 0; at < data.length; at += 4) {
        if (data[at + 3] !== 255) continue;
        drawn++;
        colours.add(`${data[at]},${data[at + 1]},${data[at + 2]}`);
      }
      return { id: plot.id, width, height, drawn, colours: [...colours] };
    }),
  );
}

test.skipIf(browser.path === undefined)(
  `the page shows its plots in light and dark and fetches nothing (${browser.path ?? browser.skipReason})`,
  async () => {
    await report(microPath, loadPath, "--out", pagePath);
    const backgrounds: string[] = [];
    // The first line's colour in the style sheet, as the canvas has it.
    for (const [scheme, line] of [
      ["light", "11,106,168"],
      ["dark", "90,174,230"],
    ] as const) {
      const { fetched, complaints } = await opened(pagePath, scheme, async (page) => {
        const drawn = await plots(page);
        expect(drawn.map(({ id }) => id.split("-")[0])).toEqual([
          ...["percentiles", "rate", "latency"],
          "memory",
          ...["percentiles", "rate", "latency"],
        ]);
        for (const plot of drawn) {
          expect(plot.width).toBeGreaterThan(300);
          expect(plot.height).toBeGreaterThan(200);
          expect(plot.drawn).toBeGreaterThan(500);
          expect(nearest(plot.colours, line), plot.id).toBeLessThan(48);
        }
        backgrounds.push(await page.evaluate(() => getComputedStyle(document.body).backgroundColor));
        // Every plot has its figures as a table, too.
        expect(await page.locator("figure table tbody tr").count()).toBeGreaterThan(7 * 5);
        expect(await page.locator(".axis .dot").count()).toBe(7);
      });
      expect(fetched).toEqual([pathToFileURL(pagePath).href]);
      expect(complaints).toEqual([]);
    }
    expect(new Set(backgrounds).size).toBe(2);
  },
);

test.skipIf(browser.path === undefined)(
  `plots follow the colour scheme, the width and the printer (${browser.path ?? browser.skipReason})`,
  async () => {
    await report(loadPath, "--out", pagePath);
    const distanceTo = async (page: Page, colour: string): Promise<number> =>
      nearest((await plots(page))[0]?.colours ?? [], colour);
    const { complaints } = await opened(pagePath, "dark", async (page) => {
      await page.emulateMedia({ colorScheme: "light" });
      await expect.poll(async () => distanceTo(page, "11,106,168")).toBeLessThan(48);
      await page.setViewportSize({ width: 420, height: 800 });
      await expect.poll(async () => (await plots(page))[0]?.width).toBeLessThan(420);
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(420);
      await page.emulateMedia({ colorScheme: "dark" });
      await page.evaluate(() => dispatchEvent(new Event("beforeprint")));
      expect(await distanceTo(page, "11,106,168")).toBeLessThan(48);
      await page.evaluate(() => dispatchEvent(new Event("afterprint")));
      expect(await distanceTo(page, "90,174,230")).toBeLessThan(48);
    });
    expect(complaints).toEqual([]);
  },
);

test.skipIf(browser.path === undefined)(
  `a hostile file runs nothing and fetches nothing (${browser.path ?? browser.skipReason})`,
  async () => {
    const path = join(folder, "hostile.html");
    writeFileSync(path, hostilePage());
    const { fetched, complaints } = await opened(path, "light", async (page) => {
      expect(await page.title()).toBe("Latchkey bench report");
      expect(await page.locator("img").count()).toBe(0);
      expect((await plots(page)).length).toBeGreaterThan(0);
    });
    expect(fetched).toEqual([pathToFileURL(path).href]);
    expect(complaints).toEqual([]);
  },
);

test.skipIf(!existsSync("/dev/full"))("a page that has no room is an error that names the file", async () => {
  expect(await report(microPath, "--out", "/dev/full")).toMatchObject({
    code: 2,
    stdout: "",
    stderr: expect.stringMatching(/^\/dev\/full cannot be written: ENOSPC.*free some space/),
  });
});
