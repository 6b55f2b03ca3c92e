import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { datasetNames, datasetOf, profileNames, profileOf } from "../../lib/data/dataset.ts";
import { InputError } from "../../lib/errors.ts";

describe("datasetOf()", () => {
  it("names the nearest of an unknown name", () => {
    assertThrows(() => datasetOf("lb"), InputError, 'did you mean "la"?');
  });
});

describe("profileOf()", () => {
  it("gives crops that the network can halve and the views keep", () => {
    for (const dataset of datasetNames.map(datasetOf)) {
      for (const { crop } of profileNames.map((name) => profileOf(dataset, name))) {
        assert(crop.every((side) => side % 16 === 0), `${dataset.name} ${crop}`);
        for (const { permutation } of dataset.views) {
          assertEquals(permutation.map((axis) => crop[axis]), [...crop]);
        }
      }
    }
    assertEquals(profileOf(datasetOf("la"), "paper").crop, [112, 112, 80]);
  });
});
