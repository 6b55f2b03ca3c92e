import { describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import { randomStream } from "../../lib/random.ts";
import { close, dilate, erode, open } from "../../lib/volume/morphology.ts";
import type { Shape3 } from "../../lib/volume/volume.ts";

/** The voxels of a mask in scan order, as coordinates. */
function voxelsOf(mask: Uint8Array, [, ny, nz]: Shape3): string[] {
  return Array.from(mask.keys()).filter((i) => mask[i] === 1).map((i) =>
    `${Math.floor(i / (ny * nz))}${Math.floor(i / nz) % ny}${i % nz}`
  );
}

function maskOf(shape: Shape3, ...voxels: readonly string[]): Uint8Array {
  const mask = new Uint8Array(shape[0] * shape[1] * shape[2]);
  for (const [x, y, z] of voxels) mask[(Number(x) * shape[1] + Number(y)) * shape[2] + Number(z)] = 1;
  return mask;
}

/** The definition: the largest (smallest) value of the voxels within the radius that lie in the grid. */
function byDefinition(mask: Uint8Array, [, ny, nz]: Shape3, radius: number, grow: boolean): Uint8Array {
  const result = new Uint8Array(mask.length);
  for (let i = 0; i < mask.length; i++) {
    const [x, y, z] = [Math.floor(i / (ny * nz)), Math.floor(i / nz) % ny, i % nz];
    const values: number[] = [];
    for (let j = 0; j < mask.length; j++) {
      const [dx, dy, dz] = [Math.floor(j / (ny * nz)) - x, Math.floor(j / nz) % ny - y, j % nz - z];
      if (dx * dx + dy * dy + dz * dz <= radius * radius) values.push(mask[j]);
    }
    result[i] = grow ? Math.max(...values) : Math.min(...values);
  }
  return result;
}

const shape: Shape3 = [7, 6, 5];
const stream = randomStream(1, "morphology");
const blobs = Uint8Array.from({ length: 7 * 6 * 5 }, () => stream.uniform() < 0.5 ? 1 : 0);

describe("dilate() and erode()", () => {
  it("grow a voxel by its face neighbours and shrink it back", () => {
    const cross = dilate(maskOf([3, 3, 3], "111"), [3, 3, 3], { radius: 1 });
    assertEquals(voxelsOf(cross, [3, 3, 3]), ["011", "101", "110", "111", "112", "121", "211"]);
    assertEquals(voxelsOf(erode(cross, [3, 3, 3], { radius: 1 }), [3, 3, 3]), ["111"]);
  });

  for (const radius of [1, Math.SQRT2, 2, 3]) {
    it(`follow the definition with radius ${radius.toFixed(2)}, also at the faces of the grid`, () => {
      assertEquals(dilate(blobs, shape, { radius }), byDefinition(blobs, shape, radius, true));
      assertEquals(erode(blobs, shape, { radius }), byDefinition(blobs, shape, radius, false));
    });
  }

  it("take disks where the planes lie far apart", () => {
    const disk = dilate(maskOf([3, 3, 3], "111"), [3, 3, 3], { radius: 1, spacing: [1, 1, 100] });
    assertEquals(voxelsOf(disk, [3, 3, 3]), ["011", "101", "111", "121", "211"]);
  });

  it("leave an empty and a full mask as they are", () => {
    const [empty, full] = [new Uint8Array(8), new Uint8Array(8).fill(1)];
    for (const change of [dilate, erode, open, close]) {
      assertEquals(change(empty, [2, 2, 2], { radius: 2 }), empty);
      assertEquals(change(full, [2, 2, 2], { radius: 2 }), full);
    }
  });
});

describe("open() and close()", () => {
  const bar = maskOf([5, 3, 3], "111", "211", "311");

  it("take away what is thinner than the ball, and fill gaps", () => {
    assertEquals(voxelsOf(open(bar, [5, 3, 3], { radius: 1 }), [5, 3, 3]), []);
    const cube = new Uint8Array(27).fill(1);
    const hollow = cube.with(13, 0);
    assertEquals(close(hollow, [3, 3, 3], { radius: 1 }), cube);
  });

  it("bracket the mask and change nothing the second time", () => {
    const [opened, closed] = [open(blobs, shape, { radius: 1 }), close(blobs, shape, { radius: 1 })];
    assertEquals(blobs.every((value, i) => opened[i] <= value && value <= closed[i]), true);
    assertEquals(open(opened, shape, { radius: 1 }), opened);
    assertEquals(close(closed, shape, { radius: 1 }), closed);
  });
});

const planeShape: Shape3 = [14, 11, 1];
/** A row is three hexadecimal digits. */
const mask = planeOf("0030031f83f83f83b83f83f83f83ff3ff01f01f000");
const operations = [["erosion", erode], ["dilation", dilate], ["opening", open], ["closing", close]] as const;

/** skimage 0.26 with disk(radius). */
const recorded: Readonly<Record<number, readonly string[]>> = {
  1: [
    "0010000001f01b01101b01f01f01f801f00f000000",
    "0071ff3ff7fc7fc7fc7fc7fc7ff7ff7ff3ff03f01f",
    "0030011f03f83f83b83f83f83f83ff1ff01f00f000",
    "0030071fc3f87f87f87f87f87fc7ff3ff03f01f00f",
  ],
  2: [
    "0000000000000000000000a00e0010008000000000",
    "1ff3ff7ff7ff7fe7fe7fe7ff7ff7ff7ff7ff3ff03f",
    "0000000000000000a01f03f83f81fc0fe01c008000",
    "07f0ff1fe3fc7f87f87f87fc7fe7ff3ff03f01f00f",
  ],
  3: [
    "000000000000000000000000000000000000000000",
    "7ff7ff7ff7ff7ff7ff7ff7ff7ff7ff7ff7ff7ff3ff",
    "000000000000000000000000000000000000000000",
    "7ff7ff7ff7ff7ff7ff7ff7ff7ff7ff3ff0ff0ff07f",
  ],
};

function planeOf(digits: string): Uint8Array {
  const plane = new Uint8Array(14 * 11);
  for (let x = 0; x < 14; x++) {
    const row = parseInt(digits.slice(3 * x, 3 * x + 3), 16);
    for (let y = 0; y < 11; y++) plane[x * 11 + y] = (row >> (10 - y)) & 1;
  }
  return plane;
}

describe("morphology of a plane", () => {
  for (const [radius, results] of Object.entries(recorded)) {
    operations.forEach(([name, operation], i) =>
      it(`${name} with a disk of radius ${radius} equals the recorded one`, () => {
        assertEquals(operation(mask, planeShape, { radius: Number(radius) }), planeOf(results[i]));
      })
    );
  }

  it("leaves an empty and a full plane as they are", () => {
    for (const plane of [new Uint8Array(14 * 11), new Uint8Array(14 * 11).fill(1)]) {
      for (const [, operation] of operations) {
        assertEquals(operation(plane, planeShape, { radius: 2 }), plane);
      }
    }
  });
});
