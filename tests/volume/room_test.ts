import { describe, it } from "@std/testing/bdd";
import { assertThrows } from "@std/assert";
import { InputError } from "../../lib/errors.ts";
import { requireRoom } from "../../lib/volume/room.ts";

describe("requireRoom()", () => {
  it("refuses what is larger than the free memory, with both numbers", () => {
    requireRoom(3e9, "scan.nii: its voxels", 3e9);
    const message = "scan.nii: its voxels need about 3.2 GB of memory, 3.0 GB are free";
    assertThrows(() => requireRoom(3.2e9, "scan.nii: its voxels", 3e9), InputError, message);
  });

  it("asks the system where it is told nothing", () => {
    requireRoom(1e3, "scan.nii: its voxels");
    assertThrows(() => requireRoom(1e18, "scan.nii: its voxels"), InputError, "1000000000.0 GB of memory");
  });
});
