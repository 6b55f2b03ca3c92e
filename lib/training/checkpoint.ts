/**
 * Checkpoints: a folder `step-N` with one safetensors file a network, in the released code's names and layouts,
 * and `training.safetensors` with the optimisers' state and the method's own. Random streams and the
 * sampler are functions of the seed and the step, so the step is all that they need. A checkpoint that was chosen
 * for its results has the networks alone.
 */
import { InputError } from "../errors.ts";
import { tf } from "../engine/tensor.ts";
import type { MethodRun, StateArray } from "../methods/method.ts";
import type { Network } from "../network/network.ts";
import { explained, writeFlushed } from "./files.ts";
import { decodeSafetensors, type Dtype, encodeSafetensors, type SafetensorsEntry } from "./safetensors.ts";
import type { Trainer } from "./trainer.ts";
import { fromArray, loadStateDict, stateDict, toArray } from "./weights.ts";

/** How many checkpoints a run keeps to continue from. */
const kept = 2;
const statePrefix = "state.";
const trainingFile = "training.safetensors";

/** Writes the checkpoint of a step and removes older ones. */
export async function saveCheckpoint(
  folder: string,
  trainer: Trainer,
  step: number,
  hash: string,
): Promise<void> {
  const metadata = metadataOf(step, hash);
  await writeStep(stepFolder(folder, step), {
    ...networkFiles(trainer.run.networks, metadata),
    [trainingFile]: () => encodeSafetensors(trainingState(trainer), metadata),
  });
  for (const old of (await checkpointSteps(folder)).slice(0, -kept)) {
    await Deno.remove(stepFolder(folder, old), { recursive: true });
  }
}

/** Writes the networks of a step alone, which is all that prediction needs. */
export async function saveNetworks(
  folder: string,
  networks: Readonly<Record<string, Network>>,
  { step, hash }: { step: number; hash: string },
): Promise<void> {
  await writeStep(stepFolder(folder, step), networkFiles(networks, metadataOf(step, hash)));
}

/** Removes the checkpoints of all other steps. */
export async function keepSteps(folder: string, steps: ReadonlySet<number>): Promise<void> {
  for (const step of await checkpointSteps(folder)) {
    if (!steps.has(step)) await Deno.remove(stepFolder(folder, step), { recursive: true });
  }
}

type Files = Readonly<Record<string, () => Uint8Array>>;

function metadataOf(step: number, hash: string): Record<string, string> {
  return { format: "pt", step: String(step), config: hash };
}

function networkFiles(
  networks: Readonly<Record<string, Network>>,
  metadata: Readonly<Record<string, string>>,
): Files {
  return Object.fromEntries(
    Object.entries(networks).map(([name, network]) => [
      `${name}.safetensors`,
      () => encodeSafetensors(stateDict(network), metadata),
    ]),
  );
}

/** Writes a folder, whole or not at all. */
async function writeStep(target: string, files: Files): Promise<void> {
  const beside = `${target}.${Deno.pid}.tmp`;
  try {
    await Deno.mkdir(beside, { recursive: true });
    for (const [name, encode] of Object.entries(files)) await writeFlushed(`${beside}/${name}`, encode());
    await Deno.remove(target, { recursive: true }).catch(() => {});
    await Deno.rename(beside, target);
  } catch (error) {
    await Deno.remove(beside, { recursive: true }).catch(() => {});
    throw explained(target, error);
  }
}

/** Steps of the checkpoints in a folder, ascending. */
export async function checkpointSteps(folder: string): Promise<number[]> {
  const steps: number[] = [];
  try {
    for await (const entry of Deno.readDir(folder)) {
      const match = /^step-(\d+)$/.exec(entry.name);
      if (match !== null && entry.isDirectory) steps.push(Number(match[1]));
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return steps.sort((a, b) => a - b);
}

/** Restores a trainer from the checkpoint of a step. */
export async function loadCheckpoint(folder: string, trainer: Trainer, step: number): Promise<void> {
  await loadNetworks(folder, trainer.run.networks, step);
  const path = `${stepFolder(folder, step)}/${trainingFile}`;
  const { tensors } = await readSafetensors(path);
  for (const { name, keys, parameters, optimiser } of trainer.groups) {
    optimiser.updates = Number((tensors.get(`${name}.updates`)?.data as BigInt64Array | undefined)?.[0] ?? 0);
    for (const [slot, values] of Object.entries(optimiser.slots)) {
      parameters.forEach(({ layout }, i) => {
        const entry = tensors.get(slotKey(name, slot, keys[i]));
        values[i]?.dispose();
        values[i] = entry && tf.keep(fromArray(entry, layout));
      });
    }
  }
  trainer.run.loadState?.(stateOf(tensors));
}

/** Restores what a method keeps beside its networks, for figures of it. */
export async function loadMethodState(folder: string, run: MethodRun, step: number): Promise<void> {
  const { tensors } = await readSafetensors(`${stepFolder(folder, step)}/${trainingFile}`);
  run.loadState?.(stateOf(tensors));
}

function stateOf(tensors: ReadonlyMap<string, SafetensorsEntry>): Map<string, StateArray> {
  const state = new Map<string, StateArray>();
  for (const [name, { shape, data }] of tensors) {
    if (name.startsWith(statePrefix)) {
      state.set(name.slice(statePrefix.length), { shape, data: data as StateArray["data"] });
    }
  }
  return state;
}

/** Restores networks only, for prediction. */
export async function loadNetworks(
  folder: string,
  networks: Readonly<Record<string, Network>>,
  step: number,
): Promise<void> {
  for (const [name, network] of Object.entries(networks)) {
    const path = `${stepFolder(folder, step)}/${name}.safetensors`;
    loadStateDict(network, (await readSafetensors(path)).tensors, path);
  }
}

/** Reads and decodes a file. */
async function readSafetensors(path: string): Promise<ReturnType<typeof decodeSafetensors>> {
  let bytes: Uint8Array;
  try {
    bytes = await Deno.readFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) throw new InputError(`${path} does not exist`);
    throw error;
  }
  return decodeSafetensors(bytes, path);
}

function stepFolder(folder: string, step: number): string {
  return `${folder}/step-${String(step).padStart(6, "0")}`;
}

function trainingState({ groups, run }: Trainer): Map<string, SafetensorsEntry> {
  const entries = new Map<string, SafetensorsEntry>();
  for (const { name, keys, parameters, optimiser } of groups) {
    const { updates } = optimiser;
    if (updates === 0) continue;
    entries.set(`${name}.updates`, { dtype: "I64", shape: [], data: BigInt64Array.of(BigInt(updates)) });
    for (const [slot, values] of Object.entries(optimiser.slots)) {
      values.forEach((value, i) => {
        if (value !== undefined) {
          entries.set(slotKey(name, slot, keys[i]), toArray(value, parameters[i].layout));
        }
      });
    }
  }
  for (const [name, { shape, data }] of run.saveState?.() ?? []) {
    entries.set(`${statePrefix}${name}`, { dtype: dtypeOf(data), shape, data });
  }
  return entries;
}

function slotKey(group: string, slot: string, parameter: string): string {
  return `${group}.${slot}.${parameter}`;
}

function dtypeOf(data: StateArray["data"]): Dtype {
  if (data instanceof Float32Array) return "F32";
  return data instanceof Uint16Array ? "U16" : "U8";
}
