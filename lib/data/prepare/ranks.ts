/** Values at places of a sorted array, found by counting instead of sorting. */

/** Buckets of each of the two rounds: 16 of a float's 32 bits. */
const buckets = 2 ** 16;

/**
 * What stands at each of these places once the values are sorted, as exactly as `values.sort()` tells it.
 *
 * @param values finite; at least one.
 * @param ranks places, from 0 on.
 */
export function valuesAtRanks(values: Float32Array, ranks: readonly number[]): number[] {
  const keys = sortableKeys(values);
  const counts = new Uint32Array(buckets);
  for (let i = 0; i < keys.length; i++) counts[keys[i] >>> 16]++;
  return ranks.map((rank) => {
    const upper = bucketOf(counts, rank);
    const inner = new Uint32Array(buckets);
    for (let i = 0; i < keys.length; i++) if (keys[i] >>> 16 === upper.bucket) inner[keys[i] & 0xffff]++;
    return valueOf(upper.bucket * buckets + bucketOf(inner, upper.rest).bucket);
  });
}

/** The bucket that holds a place, and the place within it. */
function bucketOf(counts: Uint32Array, rank: number): { bucket: number; rest: number } {
  let [bucket, rest] = [0, rank];
  while (rest >= counts[bucket]) rest -= counts[bucket++];
  return { bucket, rest };
}

/** Whole numbers in the order of the floats: the bits of negative ones turned round, all others above them. */
function sortableKeys(values: Float32Array): Uint32Array {
  const keys = new Uint32Array(values.slice().buffer);
  for (let i = 0; i < keys.length; i++) keys[i] ^= keys[i] >>> 31 === 1 ? 0xffffffff : 0x80000000;
  return keys;
}

function valueOf(key: number): number {
  const bits = Uint32Array.of(key >>> 31 === 1 ? key ^ 0x80000000 : ~key);
  return new Float32Array(bits.buffer)[0];
}
