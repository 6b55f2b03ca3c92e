import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import { findCases } from "../../../lib/data/prepare/archive.ts";
import { prepareCase } from "../../../lib/data/prepare/prepare_case.ts";
import type { PreparedName } from "../../../lib/data/prepare/record.ts";
import { InputError } from "../../../lib/errors.ts";
import { type RandomStream, randomStream } from "../../../lib/random.ts";
import {
  atriumScan,
  brainScan,
  pancreasScan,
  writeAtrium,
  writeBrain,
  writePancreas,
} from "./raw_archives.ts";

let root = "";
beforeAll(async () => void (root = await Deno.makeTempDir()));
afterAll(() => Deno.remove(root, { recursive: true }));

const mutations:
  readonly ((bytes: Uint8Array<ArrayBuffer>, stream: RandomStream) => Uint8Array<ArrayBuffer>)[] = [
    (bytes, stream) => bytes.subarray(0, stream.integer(bytes.length)),
    (bytes, stream) => {
      for (let n = 0; n <= stream.integer(8); n++) {
        bytes[stream.integer(bytes.length)] ^= 1 << stream.integer(8);
      }
      return bytes;
    },
    (bytes, stream) => {
      for (let n = 0; n < 4; n++) bytes[stream.integer(Math.min(bytes.length, 400))] = stream.integer(256);
      return bytes;
    },
  ];

const perFile = 51;

describe("prepareCase() on damaged archives", () => {
  const writers: Readonly<Record<PreparedName, (folder: string) => Promise<void>>> = {
    la: (folder) => writeAtrium(folder, "A", atriumScan()),
    pancreas: (folder) => writePancreas(folder, 1, pancreasScan()),
    brats: (folder) => writeBrain(folder, "A", brainScan()),
  };
  for (const dataset of ["la", "pancreas", "brats"] as const) {
    it(`ends in one line or in a volume, whatever was done to a file of ${dataset}`, async () => {
      const from = `${root}/${dataset}`;
      await writers[dataset](from);
      const [raw] = await findCases(dataset, from);
      const image = dataset === "pancreas" ? `${raw.image}/11-24-2015-18957/99667/1-004.dcm` : raw.image;
      const stream = randomStream(5, `damage/${dataset}`);
      let refused = 0;
      for (const path of [image, raw.label!]) {
        const sound = await Deno.readFile(path);
        for (let n = 0; n < perFile; n++) {
          await Deno.writeFile(path, mutations[n % mutations.length](sound.slice(), stream));
          const settings = { dataset, profile: "paper", variant: "paper", seed: n } as const;
          const error = await prepareCase({ raw, settings, from, to: `${root}/to` }).then(() => {}, (e) => e);
          if (error === undefined) continue;
          refused++;
          assertEquals(
            [error instanceof InputError, error.message.includes("\n")],
            [true, false],
            String(error.stack),
          );
          assertEquals(error.message.startsWith(from), true, error.message);
        }
        await Deno.writeFile(path, sound);
      }
      assertEquals(refused > perFile, true, `${refused} refused`);
    });
  }
});
