import { beforeAll, describe, it } from "@std/testing/bdd";
import { assertEquals, assertThrows } from "@std/assert";
import { startEngine } from "../../lib/engine/start.ts";
import { InputError } from "../../lib/errors.ts";
import { parametersOf } from "../../lib/network/network.ts";
import { createVNet } from "../../lib/network/segmenter.ts";
import { loadStateDict, stateDict } from "../../lib/training/weights.ts";

describe("loadStateDict()", () => {
  beforeAll(async () => void await startEngine());
  const network = (seed: number, width = 2) => createVNet({ width, dropout: false, seed });

  it("gives a network the state of another", () => {
    const [from, to] = [network(1), network(2)];
    loadStateDict(to, stateDict(from), "x");
    assertEquals(stateDict(to), stateDict(from));
  });

  it("names what does not fit and leaves the network as it was", () => {
    const target = network(1);
    const before = stateDict(target);
    const refuse = (change: (state: ReturnType<typeof stateDict>) => void, message: string) => {
      const state = stateDict(network(2));
      change(state);
      assertThrows(() => loadStateDict(target, state, "file.safetensors"), InputError, message);
    };
    refuse((state) => state.delete("out_conv.bias"), "1 tensors are missing (first: out_conv.bias)");
    refuse((state) => state.set("extra", state.get("out_conv.bias")!), "1 do not belong (first: extra)");
    refuse(
      (state) => state.set("out_conv.bias", { dtype: "F32", shape: [3], data: new Float32Array(3) }),
      "first: out_conv.bias is 3, expected 2",
    );
    assertThrows(
      () => loadStateDict(target, stateDict(network(1, 4)), "x"),
      InputError,
      "have another shape",
    );
    assertEquals(stateDict(target), before);
    assertEquals(parametersOf(target).length > 0, true);
  });
});
