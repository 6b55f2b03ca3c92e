/** Golden views, by both ways. */
import { datasets } from "../../data/dataset.ts";
import { unknownName } from "../../errors.ts";
import { fft3 } from "../../sasnet/fft.ts";
import { viewByFrequency } from "../../sasnet/view.ts";
import { permuteAxes } from "../../volume/crop.ts";
import type { Shape3 } from "../../volume/volume.ts";
import type { ViewJson } from "./formats.ts";
import type { Checks, Golden } from "./golden.ts";

/** Views by the frequency path and by the short cut. */
export function checkView(golden: Golden<ViewJson>, checks: Checks): void {
  const { json } = golden;
  for (const [name, info] of Object.entries(json.cases)) {
    const base = name.replace(/(\.[^.]*){2}$/, "");
    const image = golden.tensor(`${base}.image`);
    const label = golden.bytes(`${base}.label`);
    const shape = image.shape as unknown as Shape3;
    const permutation = info.permutation;
    const expected = golden.tensor(`${name}.image`).data;
    checks.compare(`view.${name}.frequency`, viewByFrequency(image.data, shape, permutation), expected, {
      tolerance: 1e-5,
    });
    const short = permuteAxes(image.data, shape, permutation);
    checks.compare(`view.${name}.short_cut`, short.data, expected, { tolerance: 1e-5 });
    checks.same(`view.${name}.shape`, short.shape, info.shape_out);
    const turned = permuteAxes(label.data, shape, permutation).data;
    checks.compare(`view.${name}.label`, turned, golden.bytes(`${name}.label`).data, {
      tolerance: 0,
      absolute: true,
    });
  }
  for (const [dataset, table] of Object.entries(json.permutation)) {
    const views = datasets[datasetKey(dataset)].views;
    const ours = Object.fromEntries(views.map(({ code, permutation }) => [String(code), permutation]));
    checks.same(`view.permutation.${dataset}`, ours, table);
    const odds = views.map(({ probability }) => probability);
    checks.compare(`view.probability.${dataset}`, odds, Object.values(json.probability[dataset]), {
      tolerance: 1e-6,
    });
    const identity = views.find(({ permutation }) => permutation.join() === "0,1,2");
    checks.same(`view.default.${dataset}`, identity?.code, json.default_view_without_transform[dataset]);
  }
  const image = golden.tensor("spectrum.image");
  const spectrum = fft3(image.data, image.shape as unknown as Shape3);
  checks.compare("view.spectrum.real", spectrum.real, golden.tensor("spectrum.real").data, {
    tolerance: 1e-5,
  });
  checks.compare("view.spectrum.imag", spectrum.imaginary, golden.tensor("spectrum.imag").data, {
    tolerance: 1e-5,
  });
}

/** The kit's key of a data set's name in the golden set. @throws InputError where it is none of the three. */
export function datasetKey(name: string): "la" | "pancreas" | "brats" {
  const known = { LA: "la", Pancreas_CT: "pancreas", BraTS: "brats" } as const;
  if (name in known) return known[name as keyof typeof known];
  throw unknownName("data set", name, Object.keys(known));
}
