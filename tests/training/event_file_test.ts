import { describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import { eventFileHeader, eventRecord, eventsUpTo, joined } from "../../lib/training/event_file.ts";

const hex = (bytes: Uint8Array) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

describe("event files", () => {
  // Written by TensorBoard 2.21's own RecordWriter from its own message classes.
  it("begin as TensorBoard writes them", () => {
    assertEquals(
      hex(eventFileHeader(1.5)),
      "1800000000000000a37f4b2209000000000000f83f1a0d627261696e2e4576656e743a322a28646c",
    );
  });

  it("hold scalars and pictures as TensorBoard writes them", () => {
    const png = Uint8Array.of(0x89, 0x50, 0xff);
    const record = eventRecord({
      wallTime: 1700000000.25,
      step: 40000,
      scalars: { "loss/total": 0.1, "β": -2.5 },
      pictures: { case: { png, width: 300, height: 2 } },
    });
    assertEquals(
      hex(record),
      "4300000000000000b18525a00900001040fc54d94110c0b8022a340a110a0a6c6f73732f746f74616c15cdcccc3d" +
        "0a090a02ceb215000020c00a140a0463617365220c080210ac02180422038950ffd2c5c56d",
    );
  });
});

describe("eventsUpTo()", () => {
  const at = (step: number) => eventRecord({ wallTime: 1, step, scalars: { a: step } });
  const file = joined([eventFileHeader(1), at(1), at(200), at(70000)]);

  it("keeps the header and the steps up to the one given", () => {
    assertEquals(eventsUpTo(file, 0), eventFileHeader(1));
    assertEquals(eventsUpTo(file, 200), joined([eventFileHeader(1), at(1), at(200)]));
    assertEquals(eventsUpTo(file, 70000), file);
  });

  it("ends at a torn record, wherever it was torn, and at a damaged one", () => {
    const whole = joined([eventFileHeader(1), at(1), at(200)]);
    for (let length = whole.length; length < file.length; length++) {
      assertEquals(eventsUpTo(file.subarray(0, length), 1e9), whole);
    }
    const damaged = file.slice();
    damaged[whole.length - 6] ^= 1;
    assertEquals(eventsUpTo(damaged, 1e9), joined([eventFileHeader(1), at(1)]));
  });

  it("is empty for what is no event file", () => {
    assertEquals(eventsUpTo(new TextEncoder().encode("no event file at all, and long enough"), 9).length, 0);
  });
});
