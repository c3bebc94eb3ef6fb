/** When the buttons of a fleet are pressed: a Poisson stream, as independent people make one. */

/** The times of `count` presses in milliseconds from the start, in order. `random` gives numbers from 0 up to, not including, 1. */
export function poissonTimes(count: number, perSecond: number, random: () => number): Float64Array {
  const times = new Float64Array(count);
  let atMs = 0;
  for (let index = 0; index < count; index++) {
    // The gaps of a Poisson stream are exponential: the inverse of their distribution makes one of each random number.
    atMs += (-Math.log(1 - random()) / perSecond) * 1000;
    times[index] = atMs;
  }
  return times;
}
