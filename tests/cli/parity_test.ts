import { describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import { sharedFolder } from "../shared.ts";

const shared = sharedFolder();
const root = new URL("../..", import.meta.url).pathname;

interface Check {
  readonly name: string;
  readonly variant: string;
  readonly ok: boolean;
}

/** Runs the verb on a folder. */
async function parity(folder: string) {
  const args = ["run", "-A", `${root}lib/cli/main.ts`, "parity", folder, "--json"];
  const { code, stdout } = await new Deno.Command(Deno.execPath(), { args, stderr: "null" }).output();
  const document = JSON.parse(new TextDecoder().decode(stdout)) as { checks: Check[]; ok: boolean };
  return { code, document };
}

/** Runs the verb on a folder of these files, with a manifest that knows them. */
async function parityOf(files: Record<string, string>) {
  const folder = await Deno.makeTempDir();
  try {
    const bytes = Object.fromEntries(Object.entries(files).map(([name, text]) => [name, text.length]));
    for (const [name, text] of Object.entries({ ...files, "manifest.json": JSON.stringify({ bytes }) })) {
      await Deno.writeTextFile(`${folder}/${name}`, text);
    }
    return await parity(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

describe("parity", () => {
  it("finds the kit equal to the golden set, both variants", { ignore: shared === undefined }, async () => {
    const { code, document } = await parity(`${shared}/golden/a`);
    const { checks, ok } = document;
    assertEquals(checks.filter((check) => !check.ok), []);
    assertEquals([ok, code], [true, 0]);
    assertEquals(new Set(checks.map(({ variant }) => variant)).has("official"), true);
  });

  it("fails a set with files that are missing, unknown, damaged or of another form", async () => {
    const files = { "schedule.json": "{", "sliding.json": '{"cases": {"odd": {}}}', "extra.json": "{}" };
    const { code, document } = await parityOf(files);
    assertEquals([code, document.ok], [1, false]);
    const failed = document.checks.filter((check) => !check.ok).map(({ name }) => name);
    const has = (pattern: RegExp) => failed.some((name) => pattern.test(name));
    assertEquals(has(/^manifest\.extra\.json: not known/), true);
    assertEquals(has(/^schedule: .* is not JSON/), true);
    assertEquals(has(/^sliding: the check stopped/), true);
    assertEquals(has(/^training: .*training\.json does not exist/), true);
  });

  it("refuses a folder that is no golden set", async () => {
    const folder = await Deno.makeTempDir();
    try {
      assertEquals((await parity(folder)).code, 2);
      await Deno.writeTextFile(`${folder}/manifest.json`, "{}");
      assertEquals((await parity(folder)).code, 2);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
});
