/** What provisioning tells while it works, and how that is written for a terminal or a log. */

/** The steps, in their order. Not every run has all: a warm start has only `ready`. */
export type ProvisionStage =
  | "wait"
  | "download"
  | "unpack"
  | "cuda"
  | "compiler"
  | "compile"
  | "check"
  | "ready";

/** One report. A stage begins, may report progress about twice a second, and ends or fails. */
export interface ProvisionEvent {
  readonly stage: ProvisionStage;
  readonly phase: "begin" | "progress" | "end" | "fail";
  /** What is worked on, for example `tensorflow-cpu==2.18.1`. */
  readonly subject: string;
  /** Since the stage began. */
  readonly seconds: number;
  /** Bytes done and in all, where they are known. */
  readonly bytes?: number;
  readonly totalBytes?: number;
}

/** Takes reports. */
export type Report = (event: ProvisionEvent) => void;

/** What a stage works on and how its progress is measured. */
export interface StageOptions {
  readonly subject: string;
  readonly totalBytes?: number;
  /** Bytes done so far. */
  readonly measure?: () => number;
}

const verbs: Record<ProvisionStage, string> = {
  wait: "waiting for another process that prepares",
  download: "downloading",
  unpack: "unpacking",
  cuda: "installing the CUDA libraries for",
  compiler: "installing the C++ compiler",
  compile: "compiling",
  check: "checking",
  ready: "ready:",
};

/** One line for a report, for example `downloading tensorflow-cpu==2.18.1: 113 of 230 MB, 2 s`. */
export function provisionLine(event: ProvisionEvent): string {
  const parts: string[] = [];
  if (event.totalBytes !== undefined) {
    const total = megabytes(event.totalBytes);
    if (event.phase === "progress") {
      parts.push(`${megabytes(Math.min(event.bytes ?? 0, event.totalBytes))} of ${total} MB`);
    } else parts.push(`${total} MB`);
  }
  if (event.phase !== "begin") parts.push(`${event.seconds.toFixed(event.seconds < 10 ? 1 : 0)} s`);
  const tail = parts.length === 0 ? "" : `: ${parts.join(", ")}`;
  const outcome = event.phase === "fail"
    ? ", failed"
    : event.phase === "end" && event.stage !== "ready"
    ? ", done"
    : "";
  return `${verbs[event.stage]} ${event.subject}${tail}${outcome}`;
}

/**
 * A taker of reports that writes text: on a terminal one line that is updated, else one plain line when a stage begins
 * and one when it ends. A start that finds everything in place writes nothing.
 *
 * @param write writes text as it is, for instance to standard error.
 */
export function provisionWriter(write: (text: string) => void, options: { terminal: boolean }): Report {
  let worked = false;
  return (event) => {
    if (event.stage !== "ready") worked = true;
    else if (!worked) return;
    if (!options.terminal) {
      if (event.phase !== "progress") write(`${provisionLine(event)}\n`);
      return;
    }
    const last = event.stage === "ready" || event.phase === "fail";
    write(`\r\x1b[K${provisionLine(event)}${last ? "\n" : ""}`);
  };
}

/** Runs `work` as one stage: reports its begin, its progress, and its end or failure. */
export async function runStage<T>(
  report: Report,
  stage: ProvisionStage,
  options: StageOptions & { work: () => Promise<T> },
): Promise<T> {
  const { subject, totalBytes, measure, work } = options;
  const started = performance.now();
  const tell = (phase: ProvisionEvent["phase"]) =>
    report({
      stage,
      phase,
      subject,
      seconds: (performance.now() - started) / 1000,
      ...(totalBytes === undefined ? {} : { totalBytes }),
      ...(measure === undefined || phase !== "progress" ? {} : { bytes: measure() }),
    });
  tell("begin");
  const timer = setInterval(() => tell("progress"), 500);
  try {
    const result = await work();
    tell("end");
    return result;
  } catch (error) {
    tell("fail");
    throw error;
  } finally {
    clearInterval(timer);
  }
}

function megabytes(bytes: number): string {
  return String(Math.round(bytes / 1e6));
}
