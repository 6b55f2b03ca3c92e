/** What a golden set may hold: anything else is a check that the kit does not know. */
import type { SarJson } from "./formats.ts";
import type { Checks } from "./golden.ts";

/** The parts of each JSON file; texts are for readers, and any are allowed. */
const parts = {
  complexity: ["conventions", "models", "table11"],
  losses: [
    ...["beta", "T", "values", "sharpening", "gamma", "dice_no_foreground_label", "dice_all_zero"],
    ...["definitions", "float32_vs_float64"],
  ],
  metrics: ["connectivity", "cases", "largest_cc"],
  mini: ["n_filters", "parameters", "float32_vs_float64"],
  network: [
    ...["n_filters", "n_channels", "n_classes", "bn", "state_dict_order", "num_batches_tracked", "loss"],
    ...["parameters_without_gradient", "unused_bn_unchanged", "output_stats", "kink_margin"],
    ...["gradient_stats", "float32_vs_float64", "zero_gradient_by_batchnorm"],
  ],
  ops: ["ops"],
  preprocess: ["la", "pancreas", "random_crop"],
  sar: ["figure4", "variants", "sequences"],
  schedule: ["ramp", "two_stream", "two_stream_properties", "two_stream_replay"],
  sdm: ["cases", "versions", "notes"],
  sliding: ["cases"],
  training: [
    ...["n_filters", "patch", "labelled_bs", "sharpen_T", "alpha", "beta", "sgd", "initial_running"],
    ...["state_dict_order", "kink_margin_first_step", "steps", "variants"],
  ],
  view: ["probability", "permutation", "default_view_without_transform", "cases"],
} as const;

/** A JSON file of a set, with or without tensors beside it. */
export type GoldenName = keyof typeof parts;

const states = ["mini_state", "network_state", "training_init_state"];
const files = new Set([
  ...Object.keys(parts).flatMap((name) => [`${name}.json`, `${name}.safetensors`]),
  ...states.map((name) => `${name}.safetensors`),
]);

/** Every file is there with the manifest's size, and none besides or of a kind that no check reads. */
export async function checkFiles(
  folder: string,
  bytes: Readonly<Record<string, number>>,
  checks: Checks,
): Promise<void> {
  for (const [name, size] of Object.entries(bytes)) {
    const found = await Deno.stat(`${folder}/${name}`).catch(() => undefined);
    if (!files.has(name)) checks.fail(`manifest.${name}: not known`);
    else checks.same(`manifest.${name}`, found?.size ?? "missing", size);
  }
  for await (const { name } of Deno.readDir(folder)) {
    const isData = /\.(json|safetensors)$/.test(name) && name !== "manifest.json";
    if (isData && !(name in bytes)) checks.fail(`manifest.${name}: not known`);
  }
}

/** Parts of a JSON file that no check reads are failures. */
export function checkParts(name: GoldenName, json: object, checks: Checks): void {
  const known: readonly string[] = parts[name];
  for (const [part, value] of Object.entries(json)) {
    if (typeof value !== "string" && !known.includes(part)) checks.fail(`${name}.${part}: not known`);
  }
}

const rules = { index: ["branch", "item"], memory: ["two", "running"] };

/** Whether the kit has these rules of SAR; a failure where it has not. */
export function knowsRules(
  name: string,
  options: SarJson["variants"][string] & { readonly ce?: boolean },
  checks: Checks,
): boolean {
  const { index, memory, init: _init, ce: _ce, ...others } = options;
  const unknown = [
    ...(rules.index.includes(index) ? [] : [`index ${index}`]),
    ...(rules.memory.includes(memory) ? [] : [`memory ${memory}`]),
    ...Object.keys(others),
  ];
  for (const what of unknown) checks.fail(`${name}: ${what} is not known`);
  return unknown.length === 0;
}
