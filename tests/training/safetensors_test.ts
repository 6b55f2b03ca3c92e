import { describe, it } from "@std/testing/bdd";
import { assertEquals, assertThrows } from "@std/assert";
import { InputError } from "../../lib/errors.ts";
import {
  decodeSafetensors,
  encodeSafetensors,
  type SafetensorsEntry,
} from "../../lib/training/safetensors.ts";

const tensors = new Map<string, SafetensorsEntry>([
  ["bytes", { dtype: "U8", shape: [3], data: Uint8Array.of(1, 2, 3) }],
  ["floats", { dtype: "F32", shape: [2, 2], data: Float32Array.of(0.5, -1, 2, 3) }],
  ["counter", { dtype: "I64", shape: [], data: BigInt64Array.of(7n) }],
  ["codes", { dtype: "U16", shape: [1], data: Uint16Array.of(65535) }],
  ["empty", { dtype: "I32", shape: [0], data: new Int32Array(0) }],
]);

describe("decodeSafetensors()", () => {
  it("gives back what encodeSafetensors() was given", () => {
    const decoded = decodeSafetensors(encodeSafetensors(tensors, { step: "3" }), "x");
    assertEquals(new Map([...decoded.tensors].sort()), new Map([...tensors].sort()));
    assertEquals(decoded.metadata, { step: "3" });
  });

  it("refuses every truncation", () => {
    const bytes = encodeSafetensors(tensors);
    for (let length = 0; length < bytes.length; length += 5) {
      assertThrows(
        () => decodeSafetensors(bytes.subarray(0, length), "short"),
        InputError,
        "short is not a whole",
      );
    }
  });

  it("refuses bytes behind the arrays and a header that is not JSON", () => {
    const bytes = encodeSafetensors(tensors);
    const longer = new Uint8Array(bytes.length + 4);
    longer.set(bytes);
    assertThrows(() => decodeSafetensors(longer, "long"), InputError, "4 bytes follow");
    const broken = bytes.slice();
    broken[8] = 0x5b;
    assertThrows(() => decodeSafetensors(broken, "broken"), InputError, "not JSON");
  });
});
