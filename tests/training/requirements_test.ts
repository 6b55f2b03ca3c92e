import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertGreater, assertLess, assertThrows } from "@std/assert";
import { InputError } from "../../lib/errors.ts";
import { randomStream } from "../../lib/random.ts";
import { type MemoryConfig, trainingBytes } from "../../lib/training/memory_estimate.ts";
import { requireMemory } from "../../lib/training/requirements.ts";
import type { Shape3 } from "../../lib/volume/volume.ts";

const config = (crop: Shape3, width: number, batch: number): MemoryConfig => ({
  ...{ crop, width, labelledPerBatch: batch / 2, unlabelledPerBatch: batch / 2 },
});

/** Peaks of resident memory of SASNet's step in processes of its own: crop, width, batch, GB. */
const measured: [Shape3, number, number, number][] = [
  [[48, 48, 32], 8, 4, 0.793],
  [[48, 48, 32], 16, 4, 1.201],
  [[64, 64, 32], 8, 2, 0.744],
  [[64, 64, 32], 8, 4, 0.983],
  [[64, 64, 32], 16, 2, 1.108],
  [[64, 64, 32], 16, 4, 1.379],
  [[80, 80, 48], 8, 4, 1.605],
  [[80, 80, 48], 16, 2, 1.553],
  [[80, 80, 48], 16, 4, 2.676],
  [[96, 96, 64], 8, 2, 1.657],
  [[96, 96, 64], 8, 4, 2.752],
  [[96, 96, 64], 16, 2, 2.423],
  [[96, 96, 64], 16, 4, 4.098],
  [[112, 112, 80], 16, 4, 6.272],
];

/** Configurations of all sizes, each with an amount of free memory in bytes. */
const drawn = Array.from({ length: 200 }, (_, i): { config: MemoryConfig; free: number } => {
  const stream = randomStream(1, "requirements", i);
  const side = () => 16 * (1 + stream.integer(12));
  return {
    config: {
      crop: [side(), side(), side()],
      width: 1 + stream.integer(64),
      labelledPerBatch: 1 + stream.integer(4),
      unlabelledPerBatch: stream.integer(5),
    },
    free: (1 + stream.integer(100)) * 1e9,
  };
});

describe("trainingBytes()", () => {
  for (const [crop, width, batch, gigabytes] of measured) {
    it(`is near the measured ${gigabytes} GB of ${batch}×${crop.join("×")}, width ${width}`, () => {
      const ratio = trainingBytes(config(crop, width, batch)) / (gigabytes * 1e9);
      assertGreater(ratio, 0.9);
      assertLess(ratio, 1.17);
    });
  }

  it("grows with every side, the width and the batch", () => {
    for (const { config } of drawn) {
      const [x, y, z] = config.crop;
      const larger: Partial<MemoryConfig>[] = [
        { crop: [x + 16, y, z] },
        { crop: [x, y + 16, z] },
        { crop: [x, y, z + 16] },
        { width: config.width + 1 },
        { labelledPerBatch: config.labelledPerBatch + 1 },
        { unlabelledPerBatch: config.unlabelledPerBatch + 1 },
      ];
      for (const change of larger) {
        assertGreater(trainingBytes({ ...config, ...change }), trainingBytes(config));
      }
    }
  });
});

describe("requireMemory()", () => {
  it("refuses exactly what exceeds the free memory", () => {
    const refused = drawn.filter(({ config, free }) => messageOf(() => requireMemory(config, free)) !== "");
    assertEquals(refused, drawn.filter(({ config, free }) => trainingBytes(config) > free));
    assertGreater(refused.length, 20);
    assertLess(refused.length, 180);
  });

  it("says what is needed, what is free and what would fit", () => {
    assertThrows(
      () => requireMemory(config([112, 112, 80], 16, 4), 4.5e9),
      InputError,
      "training 4 crops of 112×112×80 at width 16 needs about 6.5 GB, 4.5 GB free: " +
        "use a smaller --crop, --width (--width 8 would fit), or close other programs",
    );
    assertThrows(
      () => requireMemory(config([512, 512, 512], 16, 4), 9e9),
      InputError,
      "9.0 GB free: use a smaller --crop, --width, or close other programs",
    );
  });

  it("only proposes a width that fits", () => {
    let proposals = 0;
    for (const { config, free } of drawn) {
      const width = Number(/--width (\d+) would fit/.exec(messageOf(() => requireMemory(config, free)))?.[1]);
      if (Number.isNaN(width)) continue;
      proposals++;
      assertEquals(messageOf(() => requireMemory({ ...config, width }, free)), "");
    }
    assertGreater(proposals, 20);
  });
});

function messageOf(f: () => void): string {
  try {
    f();
    return "";
  } catch (error) {
    assert(error instanceof InputError);
    return error.message;
  }
}
