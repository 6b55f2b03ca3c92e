/** The tables of the paper's text, for tests that compare typed numbers with it. */
import { sharedFolder } from "../shared.ts";

/** Path of the paper's text, or `undefined` where the shared folder is missing. */
export function paperPath(): string | undefined {
  const shared = sharedFolder();
  if (shared === undefined) return undefined;
  const path = `${shared}/paper/sasnet-paper.txt`;
  try {
    return Deno.statSync(path).isFile ? path : undefined;
  } catch {
    return undefined;
  }
}

/** The cells of a printed table, line by line: the lines with tabs right above its caption. */
export function printedTable(text: string, number: number): string[][] {
  const lines = text.split("\n");
  const caption = lines.findIndex((line) => line.startsWith(`Table ${number}:`));
  if (caption < 0) throw new Error(`the text has no caption of Table ${number}`);
  let last = caption - 1;
  while (lines[last].trim() === "") last--;
  let first = last;
  while (lines[first - 1].includes("\t")) first--;
  return lines.slice(first, last + 1).map((line) => line.split("\t").map((cell) => cell.trim()));
}

/** The caption of a printed table. */
export function printedCaption(text: string, number: number): string {
  return text.split("\n").find((line) => line.startsWith(`Table ${number}:`))!.slice(
    `Table ${number}: `.length,
  );
}
