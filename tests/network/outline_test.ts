import { beforeAll, describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import { startEngine } from "../../lib/engine/start.ts";
import { disposeNetwork } from "../../lib/network/network.ts";
import { outlineOf } from "../../lib/network/outline.ts";
import { createSasNet, sasNetDefaults } from "../../lib/network/sasnet.ts";

describe("outlineOf()", () => {
  beforeAll(async () => {
    await startEngine();
  });

  it("tells blocks, channels, grids and parameters of the paper's network", () => {
    const network = createSasNet({ ...sasNetDefaults, width: 4, seed: 1, keepUnused: true });
    const { blocks, parameters, macs } = outlineOf(network, [112, 112, 80]);
    disposeNetwork(network);
    const sum = (key: "parameters" | "macs") => blocks.reduce((total, block) => total + block[key], 0);
    assertEquals([sum("parameters"), sum("macs")], [parameters, macs]);
    const told = blocks.map(({ part, kind, layers, kernel, inChannels, outChannels, grid }) =>
      [part, kind, layers, kernel, inChannels, outChannels, grid.join("×")].join(" ")
    );
    assertEquals(told.slice(6, 11), [
      "encoder convolution 3 3 32 32 14×14×10",
      "encoder down 1 2 32 64 7×7×5",
      "encoder convolution 3 3 64 64 7×7×5",
      "decoder3 up 1 2 64 32 14×14×10",
      "decoder3 convolution 3 3 32 32 14×14×10",
    ]);
    // The low-level decoder starts from encoder stage 4: its first layer is no up-sampling.
    assertEquals(told.find((line) => line.startsWith("decoder2")), "decoder2 convolution 3 3 32 32 14×14×10");
    assertEquals(told.at(-1), "decoder2 head 1 1 4 4 112×112×80");
    // 27·64·64 weights and 64 biases, scales and offsets a layer.
    assertEquals(blocks[8].parameters, 3 * (27 * 64 * 64 + 3 * 64));
  });
});
