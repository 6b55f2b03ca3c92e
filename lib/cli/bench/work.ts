/** One piece of work that `bench` measures, in a process of its own: prints its seconds and its peak memory. */
import { memoryUse } from "../../engine/memory.ts";
import { startEngine } from "../../engine/start.ts";
import { la } from "../../data/dataset.ts";
import { tf, tidy } from "../../engine/tensor.ts";
import { compareMasks } from "../../evaluation/metrics.ts";
import { hyperparametersOf, methodOf } from "../../methods/mod.ts";
import { createSasNet } from "../../network/sasnet.ts";
import { evaluationMode } from "../../network/unit.ts";
import { randomStream } from "../../random.ts";
import { signedDistanceMap } from "../../sasnet/sdm.ts";
import { createTrainer } from "../../training/trainer.ts";
import { paperSgd } from "../../training/optimiser.ts";
import { readHdf5 } from "../../volume/hdf5.ts";
import { type Shape3, voxelCount } from "../../volume/volume.ts";

/** What to measure. */
export interface BenchTask {
  readonly work: "step" | "forward" | "sdm" | "metrics" | "read";
  readonly size: Shape3;
  readonly width: number;
  readonly batch: number;
  readonly repeat: number;
  readonly file: string;
}

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

function stepWork({ size, width, batch }: BenchTask): () => void {
  const method = methodOf("sasnet");
  const labelled = batch / 2;
  const run = method.create({
    hyperparameters: hyperparametersOf(method, "official", ["keepUnused=false", "sarIndex=branch"]),
    dataset: la,
    width,
    seed: 1,
    iterations: 40000,
    labelledCases: labelled,
    labelledPerBatch: labelled,
    dropout: true,
  });
  const trainer = createTrainer(run, { seed: 1, iterations: 40000, crop: size, sgd: paperSgd });
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

function forwardWork({ size, width }: BenchTask): () => void {
  const spec = { width, branches: "both", lowLayers: 4, keepUnused: false, dropout: true, seed: 1 } as const;
  const network = createSasNet(spec);
  const image = tf.randomNormal([1, ...size, 1]) as tf.Tensor5D;
  return () =>
    tidy(() => {
      for (const { margin } of network.forward(image, evaluationMode)) tf.sigmoid(margin).dataSync();
    });
}

async function workOf(task: BenchTask): Promise<() => void | Promise<unknown>> {
  const { work, size, file } = task;
  if (work === "sdm") {
    const mask = blob(size);
    const out = new Float32Array(voxelCount(size));
    return () => void signedDistanceMap(mask, size, out);
  }
  if (work === "metrics") {
    const reference = blob(size);
    const prediction = blob(size, [2, 1, 1]);
    return () => void compareMasks(prediction, reference, size);
  }
  if (work === "read") return () => readHdf5(file, {});
  await startEngine();
  return work === "step" ? stepWork(task) : forwardWork(task);
}

if (import.meta.main) {
  const task: BenchTask = JSON.parse(Deno.args[0]);
  const run = await workOf(task);
  await run();
  const seconds: number[] = [];
  for (let i = 0; i < task.repeat; i++) {
    const started = performance.now();
    await run();
    seconds.push((performance.now() - started) / 1000);
  }
  const report = JSON.stringify({ seconds, peakBytes: memoryUse().peak });
  await Deno.stdout.write(new TextEncoder().encode(`${report}\n`));
}
