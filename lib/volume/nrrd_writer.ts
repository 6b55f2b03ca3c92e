/** The header of NRRD files with gzip data behind it. */
import { affineOf } from "./geometry.ts";
import { arrayType } from "./array_type.ts";
import type { Volume, VoxelArray } from "./volume.ts";

const names = { uint8: "uint8", uint16: "uint16", int16: "int16", int32: "int32", float32: "float" } as const;

/** The header and the empty line behind it. */
export function encodeNrrdHeader(volume: Volume<VoxelArray>): Uint8Array {
  const affine = affineOf(volume);
  const column = (c: 0 | 1 | 2 | 3) => `(${affine.map((row) => row[c]).join(",")})`;
  const lines = [
    "NRRD0004",
    `type: ${names[arrayType(volume.data)]}`,
    "dimension: 3",
    "space: left-posterior-superior",
    `sizes: ${volume.shape.join(" ")}`,
    `space directions: ${column(0)} ${column(1)} ${column(2)}`,
    "kinds: domain domain domain",
    "endian: little",
    "encoding: gzip",
    `space origin: ${column(3)}`,
  ];
  return new TextEncoder().encode(`${lines.join("\n")}\n\n`);
}
