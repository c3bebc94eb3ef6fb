/**
 * Medians, and how sure they are. Rounds on a shared machine have outliers that no normal distribution has, so nothing
 * here is a mean or a standard deviation, and nothing is drawn at random: the same samples give the same figures.
 */

/** Lower and upper end, both included. */
export type Interval = readonly [low: number, high: number];

/** Linear between the two nearest ranks; NaN of no values. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const position = (sorted.length - 1) * share;
  const below = sorted[Math.floor(position)] ?? Number.NaN;
  const above = sorted[Math.ceil(position)] ?? Number.NaN;
  return below + (above - below) * (position - Math.floor(position));
}

/** The middle value. */
export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/**
 * A confidence interval of the median from order statistics: the k-th least and k-th greatest value, with the greatest k
 * for which a fair coin gives fewer than k heads in n throws at most half of (1 - confidence) of the time. It asks
 * nothing of the distribution but that the values are independent. Null where there are too few values: 6 are needed for
 * 0.95.
 */
export function intervalOfMedian(values: readonly number[], confidence = 0.95): Interval | null {
  const sorted = [...values].sort((a, b) => a - b);
  const count = sorted.length;
  let probability = 0.5 ** count;
  let below = probability;
  let rank = 0;
  while (below <= (1 - confidence) / 2) {
    rank++;
    probability *= (count - rank + 1) / rank;
    below += probability;
  }
  const low = sorted[rank - 1];
  const high = sorted[count - rank];
  return rank === 0 || low === undefined || high === undefined ? null : [low, high];
}
