import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import { checkpointSteps } from "../../lib/training/checkpoint.ts";
import { readLog } from "../../lib/training/run_folder.ts";
import { root } from "../tooling/source_graph.ts";

/** A process that runs a training as a notebook's kernel does, and is then killed without a chance to say anything. */
const parent = (folder: string) => `
  import { runChild } from "${root}/lib/cli/child.ts";
  const words = ["train", "--method", "vnet", "--labelled", "4", "--iterations", "100000", "--run", "${folder}"];
  await runChild(Deno.execPath(), {
    args: ["run", "--allow-all", "--no-check", "lib/cli/main.ts", ...words],
    cwd: "${root}",
    signal: new AbortController().signal,
    ownGroup: true,
    endsWithParent: true,
    onLine: (line) => console.log(line),
  });
`;

/** Waits until no process holds the run folder. */
async function untilFree(folder: string): Promise<boolean> {
  for (let attempt = 0; attempt < 600; attempt++) {
    using lock = await Deno.open(`${folder}/lock`, { write: true });
    if (await lock.tryLock(true)) return true;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return false;
}

describe("runChild()", () => {
  it("ends a verb with its parent, however that ended, and the verb saves its state", async () => {
    const folder = await Deno.makeTempDir();
    try {
      const child = new Deno.Command(Deno.execPath(), {
        args: ["eval", "--ext=ts", parent(`${folder}/run`)],
        stdout: "piped",
        stderr: "inherit",
      }).spawn();
      let said = "";
      for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
        said += text;
        if (/step \d+\/100000/.test(said)) break;
      }
      child.kill("SIGKILL");
      assertEquals((await child.status).signal, "SIGKILL");
      assert(await untilFree(`${folder}/run`), "the training goes on without its parent");
      const [step] = await checkpointSteps(`${folder}/run/checkpoint`);
      const log = await readLog(`${folder}/run`);
      assert(
        step >= 1 && log.at(-1)?.step === step,
        `checkpoint of step ${step}, log until ${log.at(-1)?.step}`,
      );
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
});
