import { beforeAll, describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { recountLines, recountTable11 } from "../../lib/cli/methods/table11.ts";
import { startEngine } from "../../lib/engine/start.ts";
import { tf } from "../../lib/engine/tensor.ts";
import { complexityChecks } from "../../lib/experiments/audit_complexity.ts";
import { table11 } from "../../lib/experiments/complexity_table.ts";
import { methods } from "../../lib/methods/mod.ts";
import { runKit } from "../kit.ts";

describe("recountTable11()", () => {
  beforeAll(async () => void await startEngine());

  it("reproduces what can be, to the last printed digit, and marks what cannot", () => {
    const found = recountTable11().map(({ rows, printed, value, reproduced }) => {
      const unit = printed < 20 ? 1e6 : 1e9;
      return [rows.join(), printed, (value / unit).toFixed(4), reproduced];
    });
    assertEquals(found, [
      ["V-Net,UA-MT", 9.18, "9.4433", false],
      ["V-Net,UA-MT", 46.85, "46.8523", true],
      ["SASSNet,DTC", 9.44, "9.4433", true],
      ["SASSNet,DTC", 46.88, "46.8845", true],
      ["URPC", 5.85, "5.8845", false],
      ["URPC", 69.36, "69.3600", true],
      ["MC-Net+", 9.44, "9.4433", true],
      ["MC-Net+", 46.88, "46.8523", false],
      ["SASNet", 11.26, "11.2584", true],
      ["SASNet", 67.31, "67.3143", true],
    ]);
  });

  it("has every printed number once, and frees what it counts", () => {
    const before = tf.memory().numTensors;
    const recounts = recountTable11();
    assertEquals(tf.memory().numTensors, before);
    const counted = recounts.flatMap(({ rows, quantity, printed }) =>
      rows.map((row) => `${row} ${quantity} ${printed}`)
    );
    const printed = table11.rows.flatMap(({ label, parameters, flops }) => [
      `${label} parameters ${parameters}`,
      `${label} multiply–accumulates ${flops}`,
    ]);
    assertEquals(counted.sort(), printed.sort());
    assertStringIncludes(recountLines(recounts)[0], "9,180,994");
  });

  it("agrees with the audit, which counts nothing itself", () => {
    const audited = complexityChecks().map(({ where, arithmetic }) => ({
      label: where.replace("Table 11, ", ""),
      parameters: Number(/([\d.]+) M/.exec(arithmetic)![1]),
    }));
    for (const { rows, quantity, value } of recountTable11()) {
      if (quantity !== "parameters") continue;
      for (const { label, parameters } of audited.filter(({ label }) => rows.includes(label))) {
        // The audit names the test network of MC-Net+ with its normalisations, 5,600 parameters.
        assert(Math.abs(parameters - value / 1e6) < 0.0061, `${label}: ${parameters} and ${value}`);
      }
    }
  });
});

describe("methods", () => {
  it("tells every method's name, venue, key, phases, networks, size and cost, at any crop", async () => {
    const { code, stdout } = await runKit(["methods", "--crop", "96x96x96", "--json"]);
    assertEquals(code, 0);
    const { crop, methods: rows, table11 } = JSON.parse(stdout);
    assertEquals(crop, [96, 96, 96]);
    assertEquals(rows.map(({ key }: { key: string }) => key), methods.map(({ key }) => key));
    assertEquals(table11.length, 10);
    const of = (key: string) => rows.find((row: { key: string }) => row.key === key);
    const { prediction } = of("vnet");
    assertEquals([prediction.macs, prediction.macsAtOutput], [35361128448, 41306554368]);
    assertEquals(of("auss").phases, ["autoencoder", "training"]);
    const names = of("sassnet").networks.map(({ network }: { network: string }) => network);
    assertEquals(names, ["network", "discriminator"]);
    assertEquals(of("sassnet").networks[1].parameters, 11_020_290);
    assertEquals(of("sassnet").venue, "MICCAI 2020");
  });

  it("counts copied values as thop does: 143.0573 G of MC-Net+'s three decoders", async () => {
    const { stdout } = await runKit(["methods", "--json"]);
    const [training] = JSON.parse(stdout).methods.find(({ key }: { key: string }) => key === "mc-net-plus")
      .networks;
    assertEquals((training.withNormalisation / 1e9).toFixed(4), "143.0573");
  });

  it("refuses a crop that the networks cannot halve, in one line", async () => {
    const { code, stdout, stderr } = await runKit(["methods", "--crop", "100x100x100"]);
    assertEquals([code, stdout], [2, ""]);
    assertMatch(stderr, /--crop 100x100x100: expected multiples of 16.*\n$/);
  });
});
