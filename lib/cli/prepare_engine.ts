/** Makes the native tensor library ready for programs that the command line starts. */
import { EnvironmentError } from "../errors.ts";
import { provision, provisionLine, type Report, requestedVariant } from "../engine/provision.ts";
import type { Context } from "./command.ts";

/** Shows what provisioning does: a line when a stage begins or ends, its progress in the updating line. */
export function provisionReport(context: Context): Report {
  let worked = false;
  return (event) => {
    worked ||= event.stage !== "ready";
    if (!worked) return;
    if (event.phase === "progress" || event.phase === "begin") return context.status(provisionLine(event));
    context.status(undefined);
    context.note(provisionLine(event));
  };
}

/**
 * Provides libtensorflow unless another engine was asked for; where it cannot be had, and was not asked for, says so.
 *
 * @returns the environment variables for a child that computes.
 * @throws EnvironmentError when `--engine tensorflow` was given and the library cannot be had.
 */
export async function prepareEngine(context: Context): Promise<Record<string, string>> {
  const chosen: Record<string, string> = context.engine === undefined
    ? {}
    : { SASNET_ENGINE: context.engine };
  if (context.engine !== undefined && context.engine !== "tensorflow") return chosen;
  try {
    await provision({ variant: requestedVariant(), report: provisionReport(context) });
  } catch (error) {
    if (!(error instanceof EnvironmentError) || context.engine === "tensorflow") throw error;
    context.note(`libtensorflow is not used: ${error.message}`);
  }
  return { TF_CPP_MIN_LOG_LEVEL: "2", ...chosen };
}
