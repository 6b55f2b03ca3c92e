import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertGreater, assertLess } from "@std/assert";
import { setMemoryPolicy } from "../../lib/engine/memory_policy.ts";
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
  [[32, 32, 16], 16, 4, 0.7],
  [[48, 48, 32], 16, 4, 0.94],
  [[64, 64, 32], 4, 4, 0.67],
  [[64, 64, 32], 8, 4, 0.87],
  [[64, 64, 32], 16, 2, 0.97],
  [[64, 64, 32], 16, 4, 1.24],
  [[64, 64, 32], 16, 6, 1.62],
  [[64, 64, 32], 16, 8, 1.93],
  [[64, 64, 32], 24, 4, 1.76],
  [[80, 80, 48], 16, 4, 1.98],
  [[96, 96, 64], 16, 4, 3.0],
  [[112, 112, 80], 16, 4, 4.7],
];

/** The same with `--memory low`. */
const measuredLow: [Shape3, number, number, number][] = [
  [[64, 64, 32], 8, 4, 0.76],
  [[64, 64, 32], 16, 4, 1.09],
  [[64, 64, 32], 16, 8, 1.67],
  [[96, 96, 64], 16, 4, 2.63],
  [[112, 112, 80], 16, 4, 3.66],
];

/** Configurations of all sizes, each with an amount of free memory in bytes. */
const drawn = Array.from({ length: 400 }, (_, i): { config: MemoryConfig; free: number } => {
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
  for (const [isLow, peaks] of [[false, measured], [true, measuredLow]] as const) {
    for (const [crop, width, batch, gigabytes] of peaks) {
      const size = `${batch}×${crop.join("×")}, width ${width}${isLow ? ", memory low" : ""}`;
      it(`is near the measured ${gigabytes} GB of ${size}`, () => {
        const ratio = trainingBytes(config(crop, width, batch), isLow) / (gigabytes * 1e9);
        assertGreater(ratio, 0.92);
        assertLess(ratio, 1.08);
      });
    }
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
    assertLess(refused.length, 360);
  });

  it("says what is needed, what is free and what would fit", () => {
    const large = config([112, 112, 80], 16, 4);
    const refusal = "training 4 crops of 112×112×80 at width 16 needs about 4.9 GB, 4.0 GB free: use ";
    assertEquals(
      messageOf(() => requireMemory(large, 4e9)),
      `${refusal}--memory low or a smaller --crop or --width 8, or close other programs`,
    );
    setMemoryPolicy("low");
    try {
      assertEquals(messageOf(() => requireMemory(large, 4e9)), "");
      assertEquals(
        messageOf(() => requireMemory(large, 3e9)),
        `${
          refusal.replace("4.9", "3.9").replace("4.0", "3.0")
        }a smaller --crop or --width 8, or close other programs`,
      );
    } finally {
      setMemoryPolicy("normal");
    }
    assertEquals(
      messageOf(() => requireMemory(config([512, 512, 512], 16, 4), 9e9)).replace(/.*GB, /, ""),
      "9.0 GB free: use a smaller --crop or a smaller --width, or close other programs",
    );
  });

  it("only proposes a width that fits", () => {
    let proposals = 0;
    for (const { config, free } of drawn) {
      const width = Number(/--width (\d+),/.exec(messageOf(() => requireMemory(config, free)))?.[1]);
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
