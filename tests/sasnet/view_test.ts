import { describe, it } from "@std/testing/bdd";
import { assertEquals, assertThrows } from "@std/assert";
import type { Permutation } from "../../lib/data/dataset.ts";
import { InputError } from "../../lib/errors.ts";
import { randomStream } from "../../lib/random.ts";
import { fft3 } from "../../lib/sasnet/fft.ts";
import { rotateByFrequency, viewByFrequency, viewsOf } from "../../lib/sasnet/view.ts";
import { permuteAxes } from "../../lib/volume/crop.ts";
import { type Shape3, voxelCount } from "../../lib/volume/volume.ts";
import { assertClose, assertRelToMax, needsGolden, readGolden } from "../golden_set.ts";

interface ViewJson {
  readonly permutation: Readonly<Record<string, Readonly<Record<string, Permutation>>>>;
  readonly probability: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly cases: Readonly<Record<string, { readonly permutation: Permutation }>>;
}

const golden = readGolden<ViewJson>("view");
const keys: Record<string, string> = { LA: "la", Pancreas_CT: "pancreas", BraTS: "brats" };

function randomImage(shape: Shape3): Float32Array {
  const stream = randomStream(1, "image");
  return Float32Array.from({ length: voxelCount(shape) }, () => stream.normal());
}

describe("viewByFrequency()", () => {
  it("equals the recorded views, as does the short cut in space", needsGolden, () => {
    for (const [name, { permutation }] of Object.entries(golden.json.cases)) {
      const source = name.split(".")[0];
      const shape = golden.shape(`${source}.image`) as unknown as Shape3;
      const image = golden.floats(`${source}.image`);
      const expected = golden.floats(`${name}.image`);
      assertRelToMax(viewByFrequency(image, shape, permutation), expected, 1e-5, name);
      assertRelToMax(permuteAxes(image, shape, permutation).data, expected, 1e-5, name);
      const label = permuteAxes(golden.bytes(`${source}.label`), shape, permutation).data;
      assertEquals(label, golden.bytes(`${name}.label`));
    }
  });

  it("equals the permutation in space for any sides and any permutation", () => {
    for (const shape of [[4, 4, 4], [5, 6, 7], [1, 9, 2]] as Shape3[]) {
      const image = randomImage(shape);
      for (
        const permutation of [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [
          2,
          1,
          0,
        ]] as Permutation[]
      ) {
        const expected = permuteAxes(image, shape, permutation).data;
        assertRelToMax(viewByFrequency(image, shape, permutation), expected, 1e-6);
      }
    }
  });
});

describe("fft3()", () => {
  it("equals the recorded spectrum", needsGolden, () => {
    const { real, imaginary } = fft3(
      golden.floats("spectrum.image"),
      golden.shape("spectrum.image") as unknown as Shape3,
    );
    assertRelToMax(real, golden.floats("spectrum.real"), 1e-5);
    assertRelToMax(imaginary, golden.floats("spectrum.imag"), 1e-5);
  });
});

describe("viewsOf()", () => {
  it("lists the released views", needsGolden, () => {
    for (const [dataset, table] of Object.entries(golden.json.permutation)) {
      const views = viewsOf(keys[dataset]);
      assertEquals(Object.fromEntries(views.map(({ code, permutation }) => [code, permutation])), table);
      assertClose(
        views.map(({ probability }) => probability),
        Object.values(golden.json.probability[dataset]),
        1e-12,
      );
    }
  });

  it("names the nearest data set for an unknown one", () => {
    assertThrows(() => viewsOf("pancrea"), InputError, 'did you mean "pancreas"');
  });
});

describe("rotateByFrequency()", () => {
  const shape: Shape3 = [6, 6, 3];
  const image = randomImage(shape);

  it("changes nothing at 0°", () => {
    assertRelToMax(rotateByFrequency(image, shape, { axis: 2, degrees: 0 }), image, 1e-5);
  });

  it("comes back after four quarter turns", () => {
    let turned = image;
    for (let i = 0; i < 4; i++) turned = rotateByFrequency(turned, shape, { axis: 2, degrees: 90 });
    assertRelToMax(turned, image, 1e-4);
  });

  it("is a permutation with reversal at 90°", () => {
    const turned = rotateByFrequency(image, shape, { axis: 2, degrees: 90 });
    // x goes to y: what was at (x, y) is then at (5 − y, x).
    const expected = image.map((_, i) => {
      const [x, y, z] = [Math.floor(i / 18), Math.floor(i / 3) % 6, i % 3];
      return image[(y * 6 + 5 - x) * 3 + z];
    });
    assertRelToMax(turned, expected, 1e-5);
  });

  it("turns a smooth spot about the centre, dimmed by no more than its docstring says", () => {
    const side = 24;
    const large: Shape3 = [side, side, 2];
    const spot = (cx: number, cy: number) =>
      Float32Array.from({ length: voxelCount(large) }, (_, i) => {
        const [x, y] = [Math.floor(i / (2 * side)) - 11.5, Math.floor(i / 2) % side - 11.5];
        return Math.exp(-((x - cx) ** 2 + (y - cy) ** 2) / 8);
      });
    const [cosine, sine] = [Math.cos(Math.PI / 6), Math.sin(Math.PI / 6)];
    for (const [oversampling, tolerance] of [[2, 0.12], [4, 0.04]]) {
      const turned = rotateByFrequency(spot(5, 0), large, { axis: 2, degrees: 30, oversampling });
      assertRelToMax(turned, spot(5 * cosine, 5 * sine), tolerance);
    }
  });
});
