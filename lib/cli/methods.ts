/** The verb `methods`: the methods of the paper's tables, their phases, networks, size and cost. */
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
  const { datasets } = await import("../data/dataset.ts");
  await useEngine(context);
  const { width, crop } = options;
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
  context.print(
    `input ${
      crop.join("×")
    }, width ${width}; parameters that run (declared), multiply–accumulates of one forward ` +
      "pass: done | by thop's rule without and with normalisations",
  );
  for (const { key, name, venue, source, tables, phases, prediction, networks } of rows) {
    context.print("");
    context.print(`${name} (${venue}), --method ${key}, tables ${tables.join(", ")}, ${phases.join(" → ")}`);
    context.print(`  ${source}`);
    context.print(`  ${"prediction".padEnd(16)} ${cost(prediction)}`);
    for (const { network, ...complexity } of networks) {
      context.print(`  ${network.padEnd(16)} ${cost(complexity)}`);
    }
  }
  return { json: { crop, width, methods: rows } };
}

interface Cost {
  readonly parameters: number;
  readonly declared: number;
  readonly macs: number;
  readonly macsAtOutput: number;
  readonly withNormalisation: number;
}

function cost({ parameters, declared, macs, macsAtOutput, withNormalisation }: Cost): string {
  const giga = (value: number) => `${(value / 1e9).toFixed(2)} G`;
  const size = `${parameters.toLocaleString("en")} (${declared.toLocaleString("en")})`;
  return `${size.padStart(24)}  ${giga(macs)} | ${giga(macsAtOutput)}, ${giga(withNormalisation)}`;
}
