/** The verb `bench`: measures the kit, and with --peers its Python originals in the same run. */
import { EnvironmentError, InputError } from "../errors.ts";
import { systemHost } from "../engine/provision/host.ts";
import { type Context, defineCommand, type Options, type Outcome } from "./command.ts";
import { prepareEngine, provisionReport } from "./prepare_engine.ts";
import { formatBytes } from "./progress.ts";
import { peerPackages, type PreparedPython, pythonPackages } from "./python_packages.ts";

const works = ["step", "forward", "sdm", "metrics", "read"] as const;

export const command = defineCommand({
  name: "bench",
  summary: "measures time and peak memory, each work in a process of its own",
  positionals: {
    work: {
      type: "choice",
      choices: [...works, "all"],
      optional: true,
      help: "what to measure; if not given, step",
    },
  },
  options: {
    size: { type: "shape", default: [64, 64, 32], help: "the crop" },
    width: { type: "integer", minimum: 1, default: 16, help: "channels of the first stage" },
    batch: {
      type: "integer",
      minimum: 2,
      default: 4,
      help: "crops in a training batch, half of them labelled",
    },
    repeat: {
      type: "integer",
      minimum: 1,
      default: 5,
      help: "repetitions after one warm-up; the median counts",
    },
    peers: { type: "boolean", help: "also the Python originals; fetches PyTorch into the cache folder" },
    file: { type: "path", help: "a left-atrium h5 file, for read" },
  },
});

interface Measurement {
  readonly seconds: readonly number[];
  readonly peakBytes: number;
}

/** What the Python originals are. */
const peerNames: Record<typeof works[number], string> = {
  step: "PyTorch with SciPy and scikit-image",
  forward: "PyTorch",
  sdm: "SciPy and scikit-image",
  metrics: "medpy",
  read: "h5py",
};

export async function run(options: Options<typeof command>, context: Context): Promise<Outcome> {
  const { batch, file, peers, ...sizes } = options;
  if (batch % 2 !== 0) throw new InputError(`--batch ${batch}: expected an even number, half of it labelled`);
  const chosen = works.filter((work) =>
    options.work === "all" ? work !== "read" || file !== undefined : work === (options.work ?? "step")
  );
  if (chosen.includes("read") && file === undefined) {
    throw new InputError("read needs --file, a left-atrium h5 file");
  }
  const env = await prepareEngine(context);
  const python = peers ? await preparePeers(context) : undefined;
  const results: object[] = [];
  for (const work of chosen) {
    const task = JSON.stringify({ ...sizes, work, batch, file: file ?? "" });
    context.status(`measuring ${work}`);
    const own = await measure(
      Deno.execPath(),
      ["run", "-A", `${context.root}/lib/cli/bench/work.ts`, task],
      env,
      work,
    );
    context.status(`measuring ${work} of ${peerNames[work]}`);
    const peer = python &&
      await measure(
        python.command,
        [`${context.root}/bench/peers/peer.py`, task],
        python.env,
        peerNames[work],
      );
    context.status(undefined);
    const seconds = { median: median(own.seconds), all: own.seconds };
    const other = peer && { name: peerNames[work], seconds: median(peer.seconds), peakBytes: peer.peakBytes };
    const ratio = other &&
      { time: seconds.median / other.seconds, peakBytes: own.peakBytes / other.peakBytes };
    const size = options.size.join("×");
    results.push({
      work,
      size,
      seconds,
      peakBytes: own.peakBytes,
      peer: other ?? null,
      ratio: ratio ?? null,
    });
    context.print(
      `${work} ${size} width ${options.width}: ${seconds.median.toFixed(4)} s, ${
        formatBytes(own.peakBytes)
      }` +
        (other === undefined
          ? ""
          : `; ${other.name}: ${other.seconds.toFixed(4)} s, ${formatBytes(other.peakBytes)}; ` +
            `time ${ratio!.time.toFixed(2)} ×, peak memory ${ratio!.peakBytes.toFixed(2)} ×`),
    );
  }
  return { json: { results } };
}

/** Python with the peers; where they cannot be had, that is said and the kit is measured alone. */
async function preparePeers(context: Context): Promise<PreparedPython | undefined> {
  try {
    return await pythonPackages(peerPackages, systemHost(), provisionReport(context));
  } catch (error) {
    if (!(error instanceof EnvironmentError)) throw error;
    context.note(`the Python originals are left out: ${error.message}`);
    return undefined;
  }
}

async function measure(
  program: string,
  args: string[],
  env: Readonly<Record<string, string>>,
  what: string,
): Promise<Measurement> {
  const child = new Deno.Command(program, { args, env, stdin: "null", stdout: "piped", stderr: "piped" });
  const { code, stdout, stderr } = await child.output();
  const lines = new TextDecoder().decode(stdout).trim().split("\n");
  if (code === 0) return JSON.parse(lines[lines.length - 1]);
  const message = new TextDecoder().decode(stderr).trim().split("\n").at(-1);
  throw new EnvironmentError(`${what} could not be measured: ${message}`);
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
