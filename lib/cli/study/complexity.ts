/** Size and cost of the methods' networks for Table 11, counted by `methods` and kept with a content hash. */
import { contentHash } from "../../experiments/content_hash.ts";
import type { Damage } from "../../experiments/record.ts";
import type { Complexity } from "../../report/complexity_report.ts";
import { writeWhole } from "../../training/files.ts";
import type { Context } from "../command.ts";
import { runVerb } from "./execute.ts";

/** Counts all methods at the paper's size; returns why it failed, or undefined. */
export async function countNetworks(results: string, context: Context): Promise<string | undefined> {
  const words = ["methods", "--crop", "112x112x80", "--width", "16", "--json"];
  const counted = await runVerb(words, { label: "methods", context });
  if (counted.failure !== undefined) return counted.failure;
  const document: { methods: { key: string; networks: Omit<Complexity, "key">[] }[] } = JSON.parse(
    counted.output.join("\n"),
  );
  const methods = document.methods.map(({ key, networks: [first] }): Complexity => ({
    key,
    parameters: first.parameters,
    macs: first.macs,
    macsAtOutput: first.macsAtOutput,
    withElementwise: first.withElementwise,
  }));
  await Deno.mkdir(results, { recursive: true });
  const record = { methods, contentHash: await contentHash(methods) };
  await writeWhole(`${results}/complexity.json`, `${JSON.stringify(record, null, 1)}\n`);
  return undefined;
}

/** The counts of a results folder: none where they are missing; where they are edited or torn, `onDamage` is told. */
export async function readComplexity(
  results: string,
  onDamage?: (damage: Damage) => void,
): Promise<readonly Complexity[]> {
  const path = `${results}/complexity.json`;
  const text = await Deno.readTextFile(path).catch(() => undefined);
  if (text === undefined) return [];
  try {
    const { methods, contentHash: stated } = JSON.parse(text);
    if (await contentHash(methods) === stated) return methods;
    onDamage?.({ path, reason: "its content hash does not fit: it was edited" });
  } catch {
    onDamage?.({ path, reason: "it is not JSON: truncated or edited" });
  }
  return [];
}
