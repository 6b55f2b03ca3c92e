/** What is saved of a notebook's outputs: the same on every machine. */
import type { Cell, Notebook } from "./notebook_cells.ts";

/** A text that must not be saved, and what stands for it. */
export interface Replacement {
  readonly from: string;
  readonly to: string;
}

type Output = Record<string, unknown>;

/** The metadata by which Jupyter finds the kit's kernel. */
const kernelMetadata: Readonly<Record<string, unknown>> = {
  kernelspec: { display_name: "SASNet kit (Deno)", language: "typescript", name: "sasnet" },
  language_info: { file_extension: ".ts", mimetype: "text/x.typescript", name: "typescript" },
};

/**
 * The notebook with neighbouring pieces of one stream joined, machine-bound texts replaced in every textual output,
 * and no metadata of the run.
 */
export function cleanNotebook(notebook: Notebook, replacements: readonly Replacement[]): Notebook {
  return {
    ...notebook,
    metadata: { ...kernelMetadata },
    cells: notebook.cells.map((cell) => cleanCell(cell, replacements)),
  };
}

/**
 * The notebook as its file has it: Jupyter's own form, but for lists of numbers, which stand on one line each; a surface
 * has tens of thousands of them.
 */
export function notebookText(notebook: Notebook): string {
  return `${textWithRows(notebook, "")}\n`;
}

function textWithRows(value: unknown, indent: string): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const isList = Array.isArray(value);
  if (isList && value.every((one) => typeof one === "number" || one === null)) return JSON.stringify(value);
  const inner = `${indent} `;
  const lines = Object.entries(value).filter(([, one]) => one !== undefined).map(([key, one]) =>
    `${inner}${isList ? "" : `${JSON.stringify(key)}: `}${textWithRows(one, inner)}`
  );
  const [open, close] = isList ? "[]" : "{}";
  return lines.length === 0 ? open + close : `${open}\n${lines.join(",\n")}\n${indent}${close}`;
}

/** What is missing or wrong in the saved outputs of a notebook, a line each. */
export function outputFaults(notebook: Notebook): string[] {
  const faults: string[] = [];
  const code = notebook.cells.filter((cell) => cell.cell_type === "code");
  notebook.cells.forEach((cell, index) => {
    if (cell.cell_type !== "code") return;
    if (cell.execution_count === null || cell.execution_count === undefined) {
      faults.push(`cell ${index + 1} has not been executed`);
    }
    if (cell.outputs?.some((output) => output.output_type === "error")) {
      faults.push(`cell ${index + 1} shows an error`);
    }
  });
  if (code.length > 0 && code.every((cell) => (cell.outputs ?? []).length === 0)) {
    faults.push("no cell has an output");
  }
  return faults;
}

function cleanCell(cell: Cell, replacements: readonly Replacement[]): Cell {
  const { execution: _, ...metadata } = cell.metadata ?? {};
  if (cell.cell_type !== "code") return { ...cell, metadata };
  const outputs = joinStreams(cell.outputs ?? []).map((output) =>
    replaceTexts(output, replacements) as Output
  );
  return { ...cell, metadata, outputs };
}

function joinStreams(outputs: readonly Output[]): Output[] {
  const joined: Output[] = [];
  for (const output of outputs) {
    const before = joined.at(-1);
    if (output.output_type === "stream" && before?.output_type === "stream" && before.name === output.name) {
      joined[joined.length - 1] = { ...before, text: lines(textOf(before.text) + textOf(output.text)) };
    } else if (output.output_type === "stream") {
      joined.push({ ...output, text: lines(textOf(output.text)) });
    } else {
      joined.push(output);
    }
  }
  return joined;
}

function textOf(text: unknown): string {
  return Array.isArray(text) ? text.join("") : String(text);
}

/** The notebook format's form of a text: an array of lines, each with its line break. */
function lines(text: string): string[] {
  return text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
}

function replaceTexts(value: unknown, replacements: readonly Replacement[], key = ""): unknown {
  if (typeof value === "string") {
    // Base64 may contain a short name by chance.
    if (/^(image\/(?!svg)|audio\/|video\/|application\/pdf)/.test(key)) return value;
    if (/^data:[\w/+]+;base64,/.test(value)) return value;
    return replacements.reduce((text, { from, to }) => text.replaceAll(from, to), value);
  }
  if (Array.isArray(value)) return value.map((item) => replaceTexts(item, replacements, key));
  if (typeof value === "object" && value !== null) {
    return Object.fromEntries(
      Object.entries(value).map(([name, item]) => [name, replaceTexts(item, replacements, name)]),
    );
  }
  return value;
}
