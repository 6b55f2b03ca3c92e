import { describe, it } from "@std/testing/bdd";
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";

const main = decodeURIComponent(new URL("../../lib/cli/main.ts", import.meta.url).pathname);

async function kit(...words: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-all", "--no-check", main, ...words],
    env: { NO_COLOR: "1" },
  }).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

describe("the command line", () => {
  it("lists every command for --help", async () => {
    const { code, stdout } = await kit("--help");
    assertEquals(code, 0);
    for (const verb of ["test", "ok", "doctor", "notebooks"]) {
      assertMatch(stdout, new RegExp(`^  ${verb} `, "m"));
    }
  });

  it("names the nearest command in one line and ends with 2", async () => {
    const { code, stdout, stderr } = await kit("docter");
    assertEquals([code, stdout], [2, ""]);
    assertMatch(stderr, /^error: unknown command "docter", did you mean "doctor"\? .*\n$/);
  });

  it("names the nearest option, and with --json in a document too", async () => {
    const { code, stdout, stderr } = await kit("doctor", "--dta", "x", "--json");
    assertEquals(code, 2);
    assertStringIncludes(stderr, 'did you mean "--data"?');
    assertEquals(JSON.parse(stdout).exitCode, 2);
  });

  it("writes one JSON document and nothing else on standard output", async () => {
    const { stdout, stderr } = await kit("doctor", "--json", "--engine", "wasm");
    const { findings } = JSON.parse(stdout);
    assertEquals(findings[0].name, "Deno");
    assertStringIncludes(stderr, "found");
  });
});
