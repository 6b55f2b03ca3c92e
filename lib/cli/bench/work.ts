/**
 * One piece of work that `bench` measures, in a process of its own. After a warm-up of a second it says that it is ready; then it
 * repeats the work for every line on its standard input and prints the seconds, and at the end its peak memory.
 */
import { memoryUse } from "../../engine/memory.ts";
import { startEngine } from "../../engine/start.ts";
import { la } from "../../data/dataset.ts";
import { findCases } from "../../data/prepare/archive.ts";
import { prepareCase } from "../../data/prepare/prepare_case.ts";
import type { PreparedName } from "../../data/prepare/record.ts";
import { tf, tidy } from "../../engine/tensor.ts";
import { compareMasks } from "../../evaluation/metrics.ts";
import { predictVolume } from "../../inference/predict.ts";
import { threshold } from "../../inference/sliding_window.ts";
import type { MethodRun } from "../../methods/method.ts";
import { hyperparametersOf, methodOf } from "../../methods/mod.ts";
import { randomStream } from "../../random.ts";
import { signedDistanceMap } from "../../sasnet/sdm.ts";
import { createTrainer } from "../../training/trainer.ts";
import { paperSgd } from "../../methods/optimiser_settings.ts";
import { readHdf5 } from "../../volume/hdf5.ts";
import { readVolume } from "../../volume/read_volume.ts";
import { type Shape3, voxelCount } from "../../volume/volume.ts";
import { rooflineLength, rooflineSide } from "./growth.ts";
import { scanWork, windowsWork } from "./scan_work.ts";
import { type BenchTask, windowStride } from "./task.ts";

/** A lobed ball that fills about a fifth of the box. */
function blob([nx, ny, nz]: Shape3, shift = [0, 0, 0]): Uint8Array {
  const mask = new Uint8Array(nx * ny * nz);
  for (let x = 0, i = 0; x < nx; x++) {
    for (let y = 0; y < ny; y++) {
      for (let z = 0; z < nz; z++, i++) {
        const u = 2 * (x - shift[0]) / (nx - 1) - 1;
        const v = 2 * (y - shift[1]) / (ny - 1) - 1;
        const w = 2 * (z - shift[2]) / (nz - 1) - 1;
        mask[i] = Math.hypot(u, v, w) < 0.7 + 0.1 * Math.cos(3 * Math.atan2(v, u)) ? 1 : 0;
      }
    }
  }
  return mask;
}

/** SASNet as released, without the block that it never uses and with each branch's own confidences. */
function createRun({ size, width, batch }: BenchTask): MethodRun {
  const method = methodOf("sasnet");
  return method.create({
    hyperparameters: hyperparametersOf(method, "official", ["keepUnused=false", "sarIndex=branch"]),
    dataset: la,
    width,
    seed: 1,
    iterations: 40000,
    crop: size,
    labelledCases: batch / 2,
    labelledPerBatch: batch / 2,
    dropout: true,
  });
}

/** One training step of SASNet on a lobed ball in noise. */
export function stepWork(task: BenchTask): () => void {
  const { size, batch } = task;
  const labelled = batch / 2;
  const trainer = createTrainer(createRun(task), {
    seed: 1,
    iterations: 40000,
    crop: size,
    optimiser: paperSgd,
  });
  const mask = blob(size);
  const noise = randomStream(1, "bench");
  const images = new Float32Array(batch * mask.length);
  for (let i = 0; i < images.length; i++) images[i] = mask[i % mask.length] + noise.normal();
  const labels = new Uint8Array(labelled * mask.length);
  for (let item = 0; item < labelled; item++) labels.set(mask, item * mask.length);
  const items = Array.from({ length: batch }, (_, i) => ({
    case: `case ${i}`,
    labelled: i < labelled,
    paddedShape: size,
    padding: [0, 0, 0] as const,
    location: [0, 0, 0] as const,
    permutation: [0, 1, 2] as const,
    mirrored: [false, false, false] as const,
  }));
  let iteration = 0;
  return () => void trainer.step({ images, labels, items }, ++iteration);
}

function forwardWork(task: BenchTask): () => void {
  const run = createRun(task);
  const image = tf.randomNormal([1, ...task.size, 1]) as tf.Tensor5D;
  return () => tidy(() => void run.predict(image).dataSync());
}

function productWork(): () => void {
  const a = tf.randomUniform([rooflineSide, rooflineSide]) as tf.Tensor2D;
  return () => tf.dispose(tf.matMul(a, a));
}

function sumWork(): () => void {
  const [a, b] = [tf.randomUniform([rooflineLength]), tf.randomUniform([rooflineLength])];
  return () => tf.dispose(tf.add(a, b));
}

async function predictWork(task: BenchTask): Promise<Prepared> {
  const run = createRun(task);
  const { image } = await readHdf5(task.file);
  const window = new Float32Array(voxelCount(task.size));
  const options = { crop: task.size, stride: windowStride };
  return {
    // One window stands for the warm-up: a whole volume takes minutes.
    warmUp: () => void predictVolume(run, window, task.size, options),
    repeat: () => void threshold(predictVolume(run, image.data, image.shape, options)),
  };
}

/** The warm-up is repeated for so long, here and by the peer. */
const warmUpSeconds = 1;
/** A repetition runs the work so often that it lasts about so long, and reports the mean. */
const timedSeconds = 0.1;

/** One case of a data set, made again each time. */
async function prepareWork(dataset: PreparedName, folder: string): Promise<() => Promise<void>> {
  const [raw] = await findCases(dataset, folder);
  const settings = { dataset, profile: "paper", variant: "paper", seed: 1 } as const;
  const to = `${folder}/prepared`;
  return async () => {
    await Deno.remove(to, { recursive: true }).catch(() => {});
    await prepareCase({ raw, settings, from: folder, to });
  };
}

interface Prepared {
  readonly warmUp: () => unknown;
  readonly repeat: () => unknown;
}

async function prepare(task: BenchTask): Promise<Prepared> {
  const { work, size, file } = task;
  const same = (repeat: () => unknown): Prepared => ({ warmUp: repeat, repeat });
  switch (work) {
    case "sdm": {
      const mask = blob(size);
      const out = new Float32Array(voxelCount(size));
      return same(() => void signedDistanceMap(mask, size, out));
    }
    case "metrics": {
      const [reference, prediction] = [blob(size), blob(size, [2, 1, 1])];
      return same(() => void compareMasks(prediction, reference, size));
    }
    case "read":
      return same(() => readHdf5(file));
    case "nifti":
      return same(() => readVolume(file));
    case "prepare":
      return same(await prepareWork("pancreas", file));
    case "prepare-brats":
      return same(await prepareWork("brats", file));
    case "product":
    case "sum":
      await startEngine();
      return same(work === "product" ? productWork() : sumWork());
    default:
      await startEngine();
      if (work === "predict") return await predictWork(task);
      if (work === "scan") return await scanWork(createRun(task), size, file);
      if (work === "windows") return windowsWork(createRun(task), size);
      return same(work === "step" ? stepWork(task) : forwardWork(task));
  }
}

async function say(message: object): Promise<void> {
  await Deno.stdout.write(new TextEncoder().encode(`${JSON.stringify(message)}\n`));
}

if (import.meta.main) {
  const { warmUp, repeat } = await prepare(JSON.parse(Deno.args[0]));
  // What takes milliseconds is compiled only after it ran some times, and is timed several times in a row.
  const begun = performance.now();
  let warmUps = 0;
  do {
    await warmUp();
    warmUps++;
  } while (performance.now() - begun < warmUpSeconds * 1000);
  const runs = Math.max(Math.floor(timedSeconds * warmUps * 1000 / (performance.now() - begun)), 1);
  await say({ ready: true });
  for await (const chunk of Deno.stdin.readable) {
    for (const _line of new TextDecoder().decode(chunk).trim().split("\n")) {
      const started = performance.now();
      for (let i = 0; i < runs; i++) await repeat();
      await say({ seconds: (performance.now() - started) / 1000 / runs });
    }
  }
  await say({ peakBytes: memoryUse().peak });
}
