import { describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import { sharedFolder } from "../shared.ts";

const shared = sharedFolder();

describe("parity", () => {
  it("finds the kit equal to the golden set, both variants", { ignore: shared === undefined }, async () => {
    const root = new URL("../..", import.meta.url).pathname;
    const args = ["run", "-A", `${root}lib/cli/main.ts`, "parity", `${shared}/golden/a`, "--json"];
    const { code, stdout } = await new Deno.Command(Deno.execPath(), { args, stderr: "null" }).output();
    const { checks, ok } = JSON.parse(new TextDecoder().decode(stdout));
    assertEquals(checks.filter((check: { ok: boolean }) => !check.ok), []);
    assertEquals([ok, code], [true, 0]);
    assertEquals(new Set(checks.map((c: { variant: string }) => c.variant)).has("official"), true);
  });
});
