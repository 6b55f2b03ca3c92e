import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import { table4, table9 } from "../../lib/experiments/ablation_tables.ts";
import { deviationTable, readDeviations } from "../../lib/notebook/deviations.ts";

const document = [
  "# Deviations",
  "",
  "| not | a | method |",
  "## SASNet",
  "",
  "| topic | paper | released code | kit default | setting |",
  "| ----- | ----- | ------------- | ----------- | ------- |",
  "| loss  | both  | Dice alone    | both        | `loss`  |",
  "",
  "## Training, for every method",
  "",
  "| topic | paper | released code | kit default | setting |",
  "| ----- | ----- | ------------- | ----------- | ------- |",
  "| rule  | none  | best          | last        | none    |",
  "",
  "## V-Net, ICT",
  "",
  "| method | topic | publication | released code | kit default | why | setting |",
  "| ------ | ----- | ----------- | ------------- | ----------- | --- | ------- |",
  "| ICT    | ramp  | linear      | exponential   | as released | it  | `ramp`  |",
].join("\n");

describe("readDeviations()", () => {
  it("takes the method from the row, else from the heading", () => {
    const found = readDeviations(document.replace("| not | a | method |\n", ""));
    assertEquals(found.map(({ method, topic }) => `${method}: ${topic}`), [
      "SASNet: loss",
      "every method: rule",
      "ICT: ramp",
    ]);
    assertEquals(found[2], {
      method: "ICT",
      topic: "ramp",
      paper: "linear",
      released: "exponential",
      kit: "as released",
      setting: "ramp",
    });
  });
});

describe("deviationTable()", () => {
  it("has the rows of the item's methods and of every method, and no others", async () => {
    const methodsOf = async (item: typeof table9) =>
      new Set((await deviationTable(item)).rows.map(({ cells }) => cells[0]));
    assertEquals(await methodsOf(table9), new Set(["SASNet", "every method"]));
    assertEquals(await methodsOf(table4), new Set(["SASNet", "every method", "MC-Net+"]));
  });

  it("leaves out no row of DEVIATIONS.md that has a method", async () => {
    const text = await Deno.readTextFile(new URL("../../DEVIATIONS.md", import.meta.url));
    const lines = text.split("\n").filter((line) => line.startsWith("| ") && !line.startsWith("| ---"));
    const headings = lines.filter((line) => /^\| (topic|method) /.test(line));
    const found = readDeviations(text);
    assertEquals(found.length, lines.length - headings.length);
    assert(found.every(({ method, topic, kit }) => method !== "" && topic !== "" && kit !== ""));
  });
});
