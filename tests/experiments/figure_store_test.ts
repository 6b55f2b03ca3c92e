import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { InputError } from "../../lib/errors.ts";
import { choiceOf } from "../../lib/experiments/choice.ts";
import type { StoredFigure } from "../../lib/experiments/figure_data.ts";
import { loadFigure } from "../../lib/experiments/figure_parts.ts";
import { figurePath, readFigures, writeFigure } from "../../lib/experiments/figure_store.ts";
import type { PaperFigure } from "../../lib/experiments/item.ts";
import { itemsOf } from "../../lib/experiments/items.ts";
import { pack, unpack } from "../../lib/experiments/packed.ts";
import { storedMask } from "./stored.ts";

describe("pack()", () => {
  it("keeps masks and bytes exactly and real numbers to half a level", () => {
    const mask = Uint8Array.from({ length: 1003 }, (_, i) => i % 3 === 0 ? 1 : 0);
    const bytes = Uint8Array.of(0, 7, 255);
    const values = Float32Array.from({ length: 500 }, (_, i) => Math.sin(i) * 3);
    const text = JSON.stringify(pack({ a: [mask, { bytes }], values, name: "x", none: null }));
    const back = unpack(JSON.parse(text)) as { a: [Uint8Array, { bytes: Uint8Array }]; values: Float32Array };
    assertEquals([back.a[0], back.a[1].bytes], [mask, bytes]);
    values.forEach((value, i) => assert(Math.abs(value - back.values[i]) <= 6 / 510 + 1e-6));
    assert(text.length < 1400, `${text.length} characters`);
  });

  it("keeps constant and empty arrays", () => {
    const back = unpack(pack([Float32Array.of(2.5, 2.5), new Float32Array(), new Uint8Array()]));
    assertEquals(back, [Float32Array.of(2.5, 2.5), new Float32Array(), new Uint8Array()]);
  });
});

describe("figure data", () => {
  let results = "";
  const [item] = itemsOf(["figure5"]) as PaperFigure[];
  const scale = { profile: "smoke", variant: "paper" } as const;
  const stored = (seed: number): StoredFigure<"figure5"> => ({
    format: 1,
    figure: "figure5",
    run: `sasnet-seed${seed}`,
    choice: choiceOf(item.runs[0].run, seed, { ...scale, standIn: false }),
    checkpoint: { rule: "last", step: 20 },
    content: storedMask,
  });
  beforeAll(async () => {
    results = await Deno.makeTempDir();
    await Deno.mkdir(`${results}/records`);
    for (const seed of [8, 3]) {
      await writeFigure(results, stored(seed));
      await Deno.writeTextFile(`${results}/records/sasnet-seed${seed}.json`, "{}");
    }
  });
  afterAll(() => Deno.remove(results, { recursive: true }));

  it("come back as they were written, the lowest seed for a figure", async () => {
    const [part] = await loadFigure("figure5", { results, profile: "smoke" });
    assertEquals([part.stored?.run, part.standsFor], ["sasnet-seed3", "la"]);
    assertEquals(part.stored?.content.mask, storedMask.mask);
    assertEquals(part.stored?.content.case.image.width, 6);
  });

  it("are not used where they were edited, truncated or moved", async () => {
    const path = figurePath(results, "figure5", "sasnet-seed8");
    const whole = await Deno.readTextFile(path);
    const reasons: string[] = [];
    for (const text of [whole.replace('"step":20', '"step":21'), whole.slice(0, -40)]) {
      await Deno.writeTextFile(path, text);
      const { stored, damaged } = await readFigures(results, ["figure5"]);
      assertEquals(stored.map(({ run }) => run), ["sasnet-seed3"]);
      reasons.push(damaged[0].reason);
    }
    await Deno.writeTextFile(path, whole);
    const moved = path.replace("seed8", "seed9");
    await Deno.rename(path, moved);
    reasons.push((await readFigures(results)).damaged[0].reason);
    await Deno.rename(moved, path);
    assertEquals(reasons, [
      "its content hash does not fit: it was edited",
      "it is not JSON: truncated or edited",
      "it is the data of sasnet-seed8 for figure5: the file was moved",
    ]);
  });

  it("are not used where the record of their run is gone", async () => {
    const record = `${results}/records/sasnet-seed3.json`;
    await Deno.remove(record);
    const { stored, damaged } = await readFigures(results);
    await Deno.writeTextFile(record, "{}");
    assertEquals(stored.map(({ run }) => run), ["sasnet-seed8"]);
    assertEquals(damaged[0].reason, "its run has no record any more; remove it, or run the study again");
  });

  it("that are missing are named with the command that makes them", async () => {
    const error = await assertRejects(
      () => loadFigure("figure5", { results, profile: "mini" }),
      InputError,
    );
    assertStringIncludes(error.message, "run: deno task study figure5 --profile mini");
  });
});
