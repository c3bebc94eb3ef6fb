/** Numbers as people read them. */

/** Three significant digits, with `k` and `M`; a dash for what was not measured. */
export function numberText(value: number | null): string {
  if (value === null || !Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  if (size >= 1e9) return `${digits(value / 1e9)} G`;
  if (size >= 1e6) return `${digits(value / 1e6)} M`;
  if (size >= 1e4) return `${digits(value / 1e3)} k`;
  return digits(value);
}

/** Three significant digits, and no fewer than those before the point. */
function digits(value: number): string {
  const size = Math.abs(value);
  if (size >= 100 || Number.isInteger(value)) return value.toFixed(0);
  if (size >= 10) return value.toFixed(1);
  if (size >= 1) return value.toFixed(2);
  return size === 0 ? "0" : String(Number(value.toPrecision(3)));
}

/** A share as whole percent: `17 %`. */
export function percentText(share: number | null): string {
  return share === null || !Number.isFinite(share) ? "–" : `${Math.round(share * 100)} %`;
}

/** `2.31×`. */
export function ratioText(ratio: number | null): string {
  return ratio === null ? "–" : `${digits(ratio)}×`;
}

/** `2.25 to 2.40`; nothing where there is no interval. */
export function intervalText(interval: readonly [number, number] | null): string {
  return interval === null ? "" : interval.map(digits).join(" to ");
}
