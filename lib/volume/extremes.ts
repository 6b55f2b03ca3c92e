/** The least and the greatest value of a volume. */

/** Values that are looked at in one go: a loop that is entered often is compiled sooner than one that is run once. */
const block = 2 ** 16;

/** Least and greatest; both NaN where one of the values is. */
export function extremesOf(values: Float32Array): [number, number] {
  let [least, greatest] = [Infinity, -Infinity];
  for (let from = 0; from < values.length; from += block) {
    const [low, high] = extremesOfBlock(values.subarray(from, from + block));
    least = Math.min(least, low);
    greatest = Math.max(greatest, high);
  }
  return [least, greatest];
}

function extremesOfBlock(values: Float32Array): [number, number] {
  let [least, greatest] = [Infinity, -Infinity];
  for (let i = 0; i < values.length; i++) {
    least = Math.min(least, values[i]);
    greatest = Math.max(greatest, values[i]);
  }
  return [least, greatest];
}
