/**
 * Threads that share the passes of a distance transform. They work on memory of their own, so that a volume goes in
 * and its distances come out, and they sleep between the passes. Their results are those of one thread, bit for bit.
 */
import { Worker } from "node:worker_threads";
import { type Pass, passes, type Reach, type Transform } from "./distance_passes.ts";
import type { Triple } from "./volume.ts";

/** The shared memory of a team. */
export interface TeamMemory {
  /** How many threads there are besides the one that asks. */
  readonly helpers: number;
  /** See `slot`; then the volume's shape, and the start and size of its box. */
  readonly control: SharedArrayBuffer;
  /** A `Reach` for each helper. */
  readonly reach: SharedArrayBuffer;
  readonly mask: SharedArrayBuffer;
  readonly squared: SharedArrayBuffer;
}

/** A team that is ready. */
export interface Team {
  /** Where the mask goes; one byte a voxel. */
  readonly mask: Uint8Array;
  readonly squared: Float64Array;
  /** Runs all passes on the team's memory. */
  run(transform: Transform): Reach;
}

/**
 * Places in `TeamMemory.control`: passes begun, helpers done with the present one, helpers at work, the pass, its
 * first row that no thread has taken.
 */
const slot = { begun: 0, done: 1, ready: 2, pass: 3, row: 4, geometry: 5 } as const;
const controlLength = slot.geometry + 9;
/** The pass that ends the helpers. */
const dismissed = -1;
/** Smaller volumes are done before the others would have woken up. */
const smallest = 1 << 16;
/** More threads than this wait for each other. */
const mostHelpers = 3;
const patienceMs = 60_000;
/** How often a thread looks whether the others are done before it sleeps: waking up takes longer than most waits. */
const looks = 20_000;
/** Into how many parts a pass is cut for each thread: a thread that is late or slow takes fewer of them. */
const partsEach = 4;

let memory: TeamMemory | undefined;

/** The team for a volume of so many voxels; undefined while it gets ready, and where there is none to be had. */
export function teamFor(voxels: number): Team | undefined {
  const helpers = Math.min(navigator.hardwareConcurrency - 1, mostHelpers);
  if (voxels < smallest || helpers < 1) return undefined;
  if (memory === undefined || memory.mask.byteLength < voxels) {
    if (memory !== undefined) begin(new Int32Array(memory.control), dismissed);
    memory = gather(voxels, helpers);
  }
  const team = memory;
  if (Atomics.load(new Int32Array(team.control), slot.ready) < helpers) return undefined;
  return {
    mask: new Uint8Array(team.mask, 0, voxels),
    squared: new Float64Array(team.squared, 0, voxels),
    run: (transform) => runTogether(team, transform),
  };
}

/** Starts helpers with memory for so many voxels; they do not keep the process alive. */
function gather(voxels: number, helpers: number): TeamMemory {
  const bytes = (count: number) => new SharedArrayBuffer(count);
  const gathered: TeamMemory = {
    helpers,
    control: bytes(4 * controlLength),
    reach: bytes(16 * helpers),
    mask: bytes(voxels),
    squared: bytes(8 * voxels),
  };
  for (let helper = 0; helper < helpers; helper++) {
    const script = new URL("./distance_helper.ts", import.meta.url);
    new Worker(script, { workerData: { memory: gathered, helper } }).unref();
  }
  return gathered;
}

function begin(control: Int32Array, pass: number): void {
  control[slot.pass] = pass;
  control[slot.row] = 0;
  Atomics.store(control, slot.done, 0);
  Atomics.add(control, slot.begun, 1);
  Atomics.notify(control, slot.begun);
}

function runTogether({ helpers, control: buffer, reach }: TeamMemory, transform: Transform): Reach {
  const control = new Int32Array(buffer);
  const { shape, box: { start, size } } = transform;
  control.set([...shape, ...start, ...size], slot.geometry);
  let own: Reach | undefined;
  for (const [number, pass] of passes.entries()) {
    begin(control, number);
    own = runParts({ control, pass, helpers }, transform);
    for (let done = 0; done < helpers;) {
      if (!isChanged(control, slot.done, done, patienceMs)) {
        throw new Error("a thread of the distance transform does not answer");
      }
      done = Atomics.load(control, slot.done);
    }
  }
  const others = new Float64Array(reach);
  return {
    largestOutside: Math.max(own!.largestOutside, ...others.filter((_, i) => i % 2 === 0)),
    largestInside: Math.max(own!.largestInside, ...others.filter((_, i) => i % 2 === 1)),
  };
}

/** Waits until a value is another one; false where it stays for so long. */
function isChanged(control: Int32Array, at: number, from: number, milliseconds: number): boolean {
  for (let look = 0; look < looks; look++) if (Atomics.load(control, at) !== from) return true;
  return Atomics.wait(control, at, from, milliseconds) !== "timed-out";
}

/** Runs a pass on one part after the other, until the threads together have taken all rows. */
function runParts(
  { control, pass, helpers }: { control: Int32Array; pass: Pass; helpers: number },
  transform: Transform,
): Reach {
  const rows = pass.rows(transform);
  const size = Math.ceil(rows / (partsEach * (helpers + 1)));
  let [largestOutside, largestInside] = [0, 0];
  for (;;) {
    const from = Atomics.add(control, slot.row, size);
    if (from >= rows) return { largestOutside, largestInside };
    const reach = pass.run(transform, { from, to: Math.min(from + size, rows) });
    largestOutside = Math.max(largestOutside, reach.largestOutside);
    largestInside = Math.max(largestInside, reach.largestInside);
  }
}

/** What a helper does until it is dismissed. */
export function help(memory: TeamMemory, helper: number): void {
  const control = new Int32Array(memory.control);
  const reach = new Float64Array(memory.reach);
  const [mask, squared] = [new Uint8Array(memory.mask), new Float64Array(memory.squared)];
  const triple = (at: number) => Array.from(control.subarray(at, at + 3)) as unknown as Triple;
  Atomics.add(control, slot.ready, 1);
  for (let seen = 0;;) {
    isChanged(control, slot.begun, seen, Infinity);
    seen = Atomics.load(control, slot.begun);
    const number = control[slot.pass];
    if (number === dismissed) return;
    const pass = passes[number];
    const [shape, start, size] = [0, 3, 6].map((at) => triple(slot.geometry + at));
    const transform: Transform = { mask, squared, shape, box: { start, size }, weights: [1, 1, 1] };
    const { largestOutside, largestInside } = runParts({ control, pass, helpers: memory.helpers }, transform);
    reach.set([largestOutside, largestInside], 2 * helper);
    Atomics.add(control, slot.done, 1);
    Atomics.notify(control, slot.done);
  }
}
