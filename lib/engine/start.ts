/**
 * Starts the tensor engine: libtensorflow where it can be had (fetched on first use), otherwise, and visibly, the
 * WASM engine of TensorFlow.js, which is enough for small things. This is the only module with import side
 * effects, and it has them only when `startEngine` is called.
 */
import { createRequire } from "node:module";
import { EnvironmentError, unknownName } from "../errors.ts";
import { replaceGradients } from "./gradients.ts";
import { provision, type ProvisionEvent, requestedVariant } from "./provision.ts";
import { tf } from "./tensor.ts";
import { replaceWasmReductions } from "./wasm_reductions.ts";

/** The engines by the names that users type. */
export type EngineName = "tensorflow" | "wasm";

/** What runs. */
export interface Engine {
  readonly name: EngineName;
  /** One line for logs, for example "libtensorflow 2.18.1 on the CPU, 2 threads". */
  readonly description: string;
  readonly gpu: boolean;
}

/** How to start. */
export interface StartOptions {
  /** The engine to start; without it, the one that $SASNET_ENGINE names, else the best that starts. */
  readonly engine?: EngineName | undefined;
  /** Told what happens while the native library is made. */
  readonly onProvision?: ((event: ProvisionEvent) => void) | undefined;
  /** Told why a lesser engine is used. */
  readonly onFallback?: ((reason: string) => void) | undefined;
}

let running: Engine | undefined;
const started = new Map<EngineName, Engine>();

/**
 * Starts an engine. Once one runs, a call without a name returns it, and a call with the name of another starts
 * that one beside it and computes with it from then on.
 *
 * @throws EnvironmentError if the named engine cannot start; InputError if $SASNET_ENGINE names none.
 */
export async function startEngine(options: StartOptions = {}): Promise<Engine> {
  if (running !== undefined && (options.engine ?? running.name) === running.name) return running;
  const engine = options.engine ?? engineOfEnvironment();
  if (engine === "wasm") return running = await once("wasm", startWasm);
  try {
    running = await once("tensorflow", () => startTensorflow(options));
  } catch (error) {
    if (engine === "tensorflow" || !(error instanceof EnvironmentError)) throw error;
    options.onFallback?.(error.message);
    running = await once("wasm", startWasm);
  }
  return running;
}

function engineOfEnvironment(): EngineName | undefined {
  const name = Deno.env.get("SASNET_ENGINE") || undefined;
  if (name === undefined || name === "tensorflow" || name === "wasm") return name;
  throw unknownName("value of SASNET_ENGINE", name, ["tensorflow", "wasm"]);
}

async function once(name: EngineName, start: () => Promise<Engine>): Promise<Engine> {
  const known = started.get(name);
  if (known === undefined) {
    const engine = await start();
    started.set(name, engine);
    return engine;
  }
  await tf.setBackend(name);
  return known;
}

async function startTensorflow(options: StartOptions): Promise<Engine> {
  const variant = requestedVariant();
  const provisioned = await provision({ variant, report: options.onProvision ?? (() => {}) });
  // The library prints two lines about its instruction sets at start, its CUDA build also errors that are none.
  if (!Deno.env.has("TF_CPP_MIN_LOG_LEVEL")) {
    Deno.env.set("TF_CPP_MIN_LOG_LEVEL", variant === "cuda" ? "3" : "2");
  }
  const require = createRequire(import.meta.url);
  restoreRemovedNodeFunctions(require("node:util"));
  try {
    require("@tensorflow/tfjs-node-gpu");
  } catch (error) {
    throw new EnvironmentError(
      `libtensorflow does not load: ${
        firstLine(error)
      }; delete ${provisioned.libraryFolder} and run the command again`,
    );
  }
  await tf.setBackend("tensorflow");
  replaceGradients();
  const { isUsingGpuDevice } = tf.backend() as unknown as { isUsingGpuDevice: boolean };
  const place = isUsingGpuDevice ? "the GPU" : `the CPU, ${navigator.hardwareConcurrency} threads`;
  const missed = variant === "cuda" && !isUsingGpuDevice
    ? "; SASNET_CUDA is set, but no GPU can be used (TF_CPP_MIN_LOG_LEVEL=0 shows why)"
    : "";
  return {
    name: "tensorflow",
    description: `libtensorflow ${provisioned.version} on ${place}${missed}`,
    gpu: isUsingGpuDevice,
  };
}

async function startWasm(): Promise<Engine> {
  await import("@tensorflow/tfjs");
  const { setWasmPaths, version_wasm } = await import("@tensorflow/tfjs-backend-wasm");
  const require = createRequire(import.meta.url);
  const folder = require.resolve("@tensorflow/tfjs-backend-wasm").replace(/[^/\\]+$/, "");
  setWasmPaths(folder);
  if (!await tf.setBackend("wasm")) {
    throw new EnvironmentError("the WASM engine does not start; run `deno task doctor`");
  }
  replaceWasmReductions();
  return {
    name: "wasm",
    description: `TensorFlow.js WASM ${version_wasm}, one thread: slow, meant for small things`,
    gpu: false,
  };
}

/** tfjs-node 4.22 calls functions of node:util that current runtimes no longer have. */
function restoreRemovedNodeFunctions(util: Record<string, unknown>): void {
  util.isNullOrUndefined ??= (value: unknown) => value === null || value === undefined;
  util.isArray ??= Array.isArray;
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split("\n")[0];
}
