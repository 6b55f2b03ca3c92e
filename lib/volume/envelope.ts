/**
 * One axis of the distance transform: the lower envelope of parabolas (Felzenszwalb and Huttenlocher 2012), for lines
 * that hold signed squared distances, positive in the background and negative in the foreground.
 *
 * A run of one class depends on its own voxels and on the two neighbours that end it (distance 0) and on nothing
 * beyond, because these neighbours are nearer than everything behind them.
 */

/** A line of voxels. Voxels outside of [low, high) are background that no earlier pass has reached. */
export interface Line {
  readonly squared: Float64Array;
  first: number;
  readonly stride: number;
  readonly length: number;
  readonly low: number;
  readonly high: number;
}

/** The lower envelope of the parabolas of one run, and working memory and tables for it. */
export interface Envelope {
  /** Squared distance of one step along the line. */
  readonly weight: number;
  /** 1 / (2 · weight · d) for sites at distance d: a product is faster than a quotient. */
  readonly inverse: Float64Array;
  /** Unsigned values of the line, voxel u at u + 1; around the run 0 (the other class) or Infinity (no voxel). */
  readonly values: Float64Array;
  /** Sites that may be part of the envelope. */
  readonly candidates: Int32Array;
  /** Sites of the envelope's parabolas; their minimum; minimum + weight · site²; the first voxel each is lowest at. */
  readonly site: Int32Array;
  readonly minimum: Float64Array;
  readonly lifted: Float64Array;
  readonly from: Int32Array;
  /** 1 at the voxels where the next parabola begins, else 0. */
  readonly begins: Int32Array;
  /** The largest values written, outside and inside. */
  readonly largest: Float64Array;
}

/** Tables and memory for lines of `length` voxels whose steps have the squared distance `weight`. */
export function makeEnvelope(length: number, weight: number): Envelope {
  const size = length + 2;
  return {
    weight,
    inverse: Float64Array.from({ length: size }, (_, d) => 1 / (2 * weight * d)),
    values: new Float64Array(size),
    candidates: new Int32Array(size),
    site: new Int32Array(size),
    minimum: new Float64Array(size),
    lifted: new Float64Array(size),
    from: new Int32Array(size),
    begins: new Int32Array(size),
    largest: new Float64Array(2),
  };
}

/**
 * One pass along one line: replaces each signed value f(p) by the minimum over the voxels q of weight · (p − q)² + f(q),
 * where f counts as 0 in the other class. The line is cut into runs of one class; each is transformed alone.
 */
export function transformLine(line: Line, envelope: Envelope): void {
  const { squared, first, stride, length, low, high } = line;
  const { values } = envelope;
  for (let u = 0; u <= low; u++) values[u] = Infinity;
  let inside = low === 0 && squared[first] < 0;
  let start = 0;
  for (let u = low; u < high; u++) {
    const value = squared[first + u * stride];
    if ((value < 0) !== inside) {
      values[u + 1] = 0;
      if (u - start <= 2 && values[start] === 0) writeEnds(line, { start, stop: u, inside }, envelope);
      else transformRun(line, { start, stop: u, inside }, envelope);
      inside = !inside;
      start = u;
      values[u] = 0;
    }
    values[u + 1] = Math.abs(value);
  }
  if (inside && high < length) {
    values[high + 1] = 0;
    transformRun(line, { start, stop: high, inside }, envelope);
    inside = false;
    start = high;
    values[high] = 0;
  }
  for (let u = high + 1; u < length + 2; u++) values[u] = Infinity;
  transformRun(line, { start, stop: length, inside }, envelope);
}

/** Voxels [start, stop) of a line, all of one class. */
interface Run {
  readonly start: number;
  readonly stop: number;
  readonly inside: boolean;
}

/** The run of one or two voxels between two of the other class: each is one step from it. */
function writeEnds(line: Line, { start, stop, inside }: Run, { values, weight, largest }: Envelope) {
  const { squared, first, stride } = line;
  const sign = inside ? -1 : 1;
  const left = Math.min(values[start + 1], weight);
  const right = Math.min(values[stop], weight);
  squared[first + start * stride] = sign * left;
  squared[first + (stop - 1) * stride] = sign * right;
  largest[Number(inside)] = Math.max(largest[Number(inside)], left, right);
}

// For runs up to this length comparing all pairs is faster than an envelope.
const shortRun = 3;

/** Replaces the values f of a run by the minimum over sites q of weight · (p − q)² + f(q). */
function transformRun(line: Line, run: Run, envelope: Envelope) {
  if (run.stop - run.start <= shortRun) return compareAllPairs(line, run, envelope);
  const { squared, first, stride } = line;
  const { start, stop, inside } = run;
  const { weight, site, minimum, from, begins, largest } = envelope;
  const sign = inside ? -1 : 1;
  const side = Number(inside);
  const last = buildEnvelope(run, envelope);
  if (last < 0) {
    for (let p = start; p < stop; p++) squared[first + p * stride] = sign * Infinity;
    largest[side] = Infinity;
    return;
  }
  for (let k = 1; k <= last; k++) begins[from[k]] = 1;
  let k = 0;
  let most = largest[side];
  for (let p = start; p < stop; p++) {
    k += begins[p];
    begins[p] = 0;
    const step = p - site[k];
    const value = minimum[k] + weight * step * step;
    if (value > most) most = value;
    squared[first + p * stride] = sign * value;
  }
  largest[side] = most;
}

/** Builds the envelope of a run; returns the index of its last parabola, −1 where the run has no site. */
function buildEnvelope({ start, stop }: Run, envelope: Envelope): number {
  const { weight, inverse, values, site, minimum, lifted, from, candidates } = envelope;
  const count = findCandidates(start, stop, envelope);
  let top = -1;
  let topSite = 0;
  let topLifted = 0;
  let topFrom = start;
  for (let i = 0; i < count; i++) {
    const u = candidates[i];
    const value = values[u + 1];
    const raised = value + weight * u * u;
    let crossing = start - 1;
    while (top >= 0) {
      crossing = (raised - topLifted) * inverse[u - topSite];
      if (crossing >= topFrom) break;
      crossing = start - 1;
      if (--top < 0) break;
      topSite = site[top];
      topLifted = lifted[top];
      topFrom = from[top];
    }
    if (crossing >= stop - 1) continue;
    top++;
    site[top] = topSite = u;
    minimum[top] = value;
    lifted[top] = topLifted = raised;
    from[top] = topFrom = (crossing | 0) + 1;
  }
  return top;
}

/**
 * Lists the sites of a run, with the ends of the other class, that are not hidden by their two neighbours: the
 * lifted values are strictly convex there. Few of the others are hidden, so that building seldom goes back.
 */
function findCandidates(start: number, stop: number, { weight, values, candidates }: Envelope): number {
  const limit = -2 * weight;
  candidates[0] = start - 1;
  let count = Number(values[start] === 0);
  for (let u = start; u < stop; u++) {
    candidates[count] = u;
    count += Number(values[u] - 2 * values[u + 1] + values[u + 2] > limit);
  }
  candidates[count] = stop;
  return count + Number(values[stop + 1] === 0);
}

function compareAllPairs(line: Line, { start, stop, inside }: Run, { values, weight, largest }: Envelope) {
  const { squared, first, stride } = line;
  const sign = inside ? -1 : 1;
  let most = largest[Number(inside)];
  for (let p = start; p < stop; p++) {
    let least = Infinity;
    for (let q = start - 1; q <= stop; q++) {
      const value = values[q + 1] + weight * (p - q) * (p - q);
      if (value < least) least = value;
    }
    if (least > most) most = least;
    squared[first + p * stride] = sign * least;
  }
  largest[Number(inside)] = most;
}
