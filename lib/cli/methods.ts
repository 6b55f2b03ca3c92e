/** The verb `methods`: the methods of the paper's tables, their phases, networks, size and cost. */
import { InputError } from "../errors.ts";
import type { Complexity } from "../network/complexity.ts";
import { type Context, defineCommand, type Options, type Outcome } from "./command.ts";
import { useEngine } from "./workspace.ts";

export const command = defineCommand({
  name: "methods",
  summary: "every method: name, venue, key, phases, networks, parameters, multiply–accumulates, tables",
  options: {
    crop: { type: "shape", default: [112, 112, 80], help: "the input that the cost is counted for" },
    width: { type: "integer", minimum: 1, default: 16, help: "channels of the first stage" },
  },
});

export async function run(options: Options<typeof command>, context: Context): Promise<Outcome> {
  const { methods } = await import("../methods/mod.ts");
  const { complexityOf } = await import("../network/complexity.ts");
  const { disposeNetwork } = await import("../network/network.ts");
  const { recountLines, recountTable11 } = await import("./methods/table11.ts");
  const { datasets } = await import("../data/dataset.ts");
  const { width, crop } = options;
  if (crop.some((side) => side === 0 || side % 16 !== 0)) {
    throw new InputError(
      `--crop ${crop.join("x")}: expected multiples of 16, which the networks halve four times`,
    );
  }
  await useEngine(context);
  const rows = methods.map((method) => {
    const run = method.create({
      hyperparameters: method.defaults("paper"),
      dataset: datasets.la,
      width,
      seed: 1,
      iterations: 1000,
      crop,
      labelledCases: 2,
      labelledPerBatch: 2,
      dropout: false,
    });
    const trained = run.trained.flatMap((name) => run.networks[name].layers);
    const prediction = complexityOf(run.predictor ?? { layers: trained }, crop);
    const networks = Object.entries(run.networks).map(([name, network]) => ({
      network: name,
      ...complexityOf(network, crop),
    }));
    Object.values(run.networks).forEach(disposeNetwork);
    const phases = [...(run.phases ?? []).map(({ name }) => name), "training"];
    const { key, name, venue, source, tables } = method;
    return { key, name, venue, source, tables, phases, prediction, networks };
  });
  context.print(`at ${crop.join("×")} and width ${width}, of one forward pass of one crop:`);
  context.print(`  ${"".padEnd(16)} ${headings.map((heading, i) => heading.padStart(columns[i])).join(" ")}`);
  for (const { key, name, venue, source, tables, phases, prediction, networks } of rows) {
    context.print("");
    context.print(`${name} (${venue}), --method ${key}, tables ${tables.join(", ")}, ${phases.join(" → ")}`);
    context.print(`  ${source}`);
    context.print(`  ${"prediction".padEnd(16)} ${cost(prediction)}`);
    for (const { network, ...complexity } of networks) {
      context.print(`  ${network.padEnd(16)} ${cost(complexity)}`);
    }
  }
  const table11 = recountTable11();
  context.print("");
  context.print("Table 11 of the paper, printed for 112×112×80 at width 16:");
  for (const line of recountLines(table11)) context.print(line);
  return { json: { crop, width, methods: rows, table11 } };
}

/** Multiply–accumulates that are done, then by the rules of tools that such tables use. */
const headings = ["parameters", "declared", "MACs done", "thop", "thop + norm", "ptflops"];
const columns = [11, 11, 10, 9, 11, 9];

function cost(complexity: Omit<Complexity, "parametersWithoutNormalisation">): string {
  const { parameters, declared, macs, macsAtOutput, withNormalisation, withElementwise } = complexity;
  const giga = (value: number) => `${(value / 1e9).toFixed(2)} G`;
  const cells = [
    parameters.toLocaleString("en"),
    declared.toLocaleString("en"),
    ...[macs, macsAtOutput, withNormalisation, withElementwise].map(giga),
  ];
  return cells.map((cell, i) => cell.padStart(columns[i])).join(" ");
}
