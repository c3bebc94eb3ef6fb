/** The text format of Prometheus, version 0.0.4 (prometheus.io, "Exposition formats"). */

/** What a metric is. */
type MetricType = "counter" | "gauge" | "histogram" | "summary";

/** Names and values that tell the samples of one metric apart. Few of each, and never a client's name. */
export type Labels = Readonly<Record<string, string>>;

/** The media type of the text. */
export const metricsMediaType = "text/plain; version=0.0.4; charset=utf-8";

/** Builds the text, one metric after another. */
export class MetricsText {
  #text = "";

  /** One value without labels. */
  value(type: "counter" | "gauge", name: string, help: string, value: number): this {
    return this.values(type, name, help, [[{}, value]]);
  }

  /** One value for each set of labels. */
  values(type: MetricType, name: string, help: string, samples: Iterable<readonly [Labels, number]>): this {
    this.#head(type, name, help);
    for (const [labels, value] of samples) this.#sample(name, labels, value);
    return this;
  }

  /**
   * A histogram. `counts` has how many observations were at most the bound at the same place and above the one before it, and at its
   * end how many were above all bounds.
   */
  histogram(name: string, help: string, bounds: readonly number[], counts: readonly number[], sum: number): this {
    this.#head("histogram", name, help);
    let total = 0;
    for (const [place, count] of counts.entries()) {
      total += count;
      this.#sample(`${name}_bucket`, { le: numberText(bounds[place] ?? Number.POSITIVE_INFINITY) }, total);
    }
    this.#sample(`${name}_sum`, {}, sum);
    this.#sample(`${name}_count`, {}, total);
    return this;
  }

  toString(): string {
    return this.#text;
  }

  #head(type: MetricType, name: string, help: string): void {
    this.#text += `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`;
  }

  #sample(name: string, labels: Labels, value: number): void {
    const parts = Object.entries(labels).map(([label, text]) => `${label}="${escaped(text)}"`);
    this.#text += `${name}${parts.length === 0 ? "" : `{${parts.join(",")}}`} ${numberText(value)}\n`;
  }
}

function escaped(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n").replaceAll('"', '\\"');
}

function numberText(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return "+Inf";
  if (value === Number.NEGATIVE_INFINITY) return "-Inf";
  return String(value);
}
