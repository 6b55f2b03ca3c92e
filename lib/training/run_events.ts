/** The TensorBoard file of a run, written beside log.jsonl. */
import { eventFileHeader, type EventPicture, eventRecord, eventsUpTo, joined } from "./event_file.ts";
import { explained, writeWhole } from "./files.ts";
import type { LogLine } from "./run_folder.ts";

/** Pictures of a step by tag. */
export interface StepPictures {
  readonly step: number;
  readonly pictures: Readonly<Record<string, EventPicture>>;
}

/**
 * Begins the file of a run, or drops what it says of steps after the last one of the log; where it is missing, the log
 * fills it.
 */
export async function openEvents(folder: string, log: readonly LogLine[]): Promise<void> {
  const path = eventPath(folder, "0.training");
  const known = await Deno.readFile(path).catch(() => new Uint8Array());
  const kept = eventsUpTo(known, log.at(-1)?.step ?? 0);
  const now = Date.now() / 1000;
  await writeWhole(path, kept.length > 0 ? kept : joined([eventFileHeader(now), ...eventsOf(log, now)]));
}

/** Adds lines of the log, the last of which is of now, and pictures. */
export async function appendEvents(
  folder: string,
  lines: readonly LogLine[],
  pictures: readonly StepPictures[],
): Promise<void> {
  const path = eventPath(folder, "0.training");
  const wallTime = Date.now() / 1000;
  const drawn = pictures.map((one) => eventRecord({ wallTime, ...one }));
  await Deno.writeFile(path, joined([...eventsOf(lines, wallTime), ...drawn]), { append: true }).catch(
    (error) => {
      throw explained(path, error);
    },
  );
}

/** The records of lines that ended at `wallTime`, each as much earlier as the later ones took. */
function eventsOf(lines: readonly LogLine[], wallTime: number): Uint8Array[] {
  let time = wallTime;
  return lines.toReversed().filter(({ event }) => event !== "finished").map((line) => {
    const bytes = eventRecord({ wallTime: time, step: line.step, scalars: scalarsOf(line) });
    time -= line.seconds ?? 0;
    return bytes;
  }).reverse();
}

/** Writes the pictures of evaluations, in a file of their own that the next evaluation replaces. */
export async function writeEvaluationPictures(
  folder: string,
  pictures: readonly StepPictures[],
): Promise<void> {
  const wallTime = Date.now() / 1000;
  const events = pictures.map((one) => eventRecord({ wallTime, ...one }));
  await writeWhole(eventPath(folder, "1.evaluation"), joined([eventFileHeader(wallTime), ...events]));
}

/** TensorBoard reads files with this beginning, in the order of their names. */
function eventPath(folder: string, name: string): string {
  return `${folder}/events.out.tfevents.${name}`;
}

function scalarsOf({ event, seconds, total, terms, weights, values }: LogLine): Record<string, number> {
  const prefixed = (prefix: string, of: Readonly<Record<string, number>> = {}) =>
    Object.entries(of).map(([name, value]) => [`${prefix}/${name}`, value] as const);
  if (event === "evaluation") return Object.fromEntries(prefixed("look", values));
  return Object.fromEntries([
    ...(total === undefined ? [] : [["loss/total", total] as const]),
    ...(seconds === undefined ? [] : [["step/seconds", seconds] as const]),
    ...prefixed("loss", terms),
    ...prefixed("weight", weights),
    ...prefixed("reading", values),
  ]);
}
