import { describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import { defaultSeed } from "../../lib/experiments/choice.ts";
import { readFigures, storedFigures } from "../../lib/experiments/figure_store.ts";
import { items } from "../../lib/experiments/items.ts";
import { readRecords } from "../../lib/experiments/record.ts";
import { planStudy } from "../../lib/experiments/study.ts";
import { root } from "../tooling/source_graph.ts";

const { records, damaged } = await readRecords(`${root}/results/records`);
const smoke = {
  profile: "smoke",
  variant: "paper",
  seeds: [defaultSeed],
  standIns: new Set<never>(),
} as const;

describe("results", () => {
  it("hold no record that was edited", () => {
    assertEquals(damaged, []);
  });

  it("hold every smoke run that a table or figure needs", () => {
    const missing = planStudy({ ...smoke, items }, records).filter(({ record }) => record === undefined);
    assertEquals(missing.map(({ key }) => key), []);
  });

  it("hold what the figures draw of their runs", async () => {
    const { stored, damaged } = await readFigures(`${root}/results`, storedFigures);
    assertEquals(damaged, []);
    const present = new Set(stored.map(({ figure, run }) => `${figure} ${run}`));
    const needed = planStudy({ ...smoke, items }, records).flatMap(({ items, record }) =>
      storedFigures.filter((figure) => items.includes(figure)).map((figure) => `${figure} ${record?.name}`)
    );
    assertEquals(needed.filter((one) => !present.has(one)), []);
  });
});
