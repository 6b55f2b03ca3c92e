/** The verb `methods`: the methods of the paper's tables, their size and cost. */
import { type Context, defineCommand, type Options, type Outcome } from "./command.ts";
import { useEngine } from "./workspace.ts";

export const command = defineCommand({
  name: "methods",
  summary: "every method: name, key, source, parameters, multiply–accumulates, tables",
  options: {
    crop: { type: "shape", default: [112, 112, 80], help: "the input that the cost is counted for" },
    width: { type: "integer", minimum: 1, default: 16, help: "channels of the first stage" },
  },
});

export async function run(options: Options<typeof command>, context: Context): Promise<Outcome> {
  const { methods } = await import("../methods/mod.ts");
  const { complexityOf } = await import("../network/complexity.ts");
  const { la } = await import("../data/dataset.ts");
  const { disposeNetwork } = await import("../network/network.ts");
  await useEngine(context);
  const { width, crop } = options;
  const rows = methods.map((method) => {
    const run = method.create({
      hyperparameters: method.defaults("paper"),
      dataset: la,
      width,
      seed: 1,
      iterations: 1,
      labelledCases: 2,
      labelledPerBatch: 2,
      dropout: false,
    });
    const networks = Object.entries(run.networks).map(([name, network]) => {
      const complexity = complexityOf(network, crop);
      disposeNetwork(network);
      return { network: name, ...complexity };
    });
    const { key, name, source, tables, usesUnlabelled } = method;
    return { key, name, source, tables, usesUnlabelled, networks };
  });
  context.print(
    `parameters and multiply–accumulates of one forward pass, input ${crop.join("×")}, width ${width}`,
  );
  for (const { key, name, source, tables, networks } of rows) {
    context.print(`${name.padEnd(10)} --method ${key.padEnd(8)} ${source} (tables ${tables.join(", ")})`);
    for (const { network, parameters, macs, macsAtOutput } of networks) {
      context.print(
        `  ${network}: ${parameters.toLocaleString("en")} parameters, ${(macs / 1e9).toFixed(2)} G ` +
          `(${(macsAtOutput / 1e9).toFixed(2)} G with transposed convolutions counted at their output)`,
      );
    }
  }
  return { json: { crop, width, methods: rows } };
}
