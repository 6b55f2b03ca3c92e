import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertStrictEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { datasetNames, datasetOf, profileNames, profileOf, standInOf } from "../../lib/data/dataset.ts";
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

describe("standInOf()", () => {
  it("gives every data set of the paper a drawn one of its organ, treated alike", () => {
    for (const dataset of ["la", "pancreas", "brats"].map(datasetOf)) {
      const phantom = standInOf(dataset);
      assert(phantom.drawn !== undefined && dataset.drawn === undefined);
      assertStringIncludes(phantom.foreground, dataset.foreground);
      assertEquals(phantom.views, dataset.views);
      assertEquals(phantom.baselineAugmentation, dataset.baselineAugmentation);
      assertEquals(
        phantom.labelled.map(({ percent }) => percent),
        dataset.labelled.map(({ percent }) => percent),
      );
      assertStrictEquals(standInOf(phantom), phantom);
    }
  });
});
