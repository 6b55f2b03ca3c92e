import { describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";

const module = new URL("../../lib/notebook/interrupt.ts", import.meta.url).href;

/** A process that does what a kernel does: it knows something, waits in two pieces of work, and says what it knows. */
const kernel = `
  import { interruptible } from "${module}";
  let known = 41;
  const work = (signal) => new Promise((resolve) => {
    const timer = setTimeout(() => resolve("finished"), 20000);
    signal.addEventListener("abort", () => { clearTimeout(timer); resolve("stopped"); });
    console.log("working");
  });
  for (let i = 0; i < 2; i++) console.log(await interruptible(work), ++known);
`;

describe("interruptible()", () => {
  it("ends the work at an interrupt, again and again, and keeps the process with what it knows", async () => {
    const child = new Deno.Command(Deno.execPath(), {
      args: ["eval", "--ext=ts", kernel],
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    let said = "";
    for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
      if (text.includes("working")) child.kill("SIGINT");
      said += text;
    }
    assertEquals(said.split("\n").filter((line) => line !== "working"), ["stopped 42", "stopped 43", ""]);
    assertEquals((await child.status).code, 0);
  });
});
