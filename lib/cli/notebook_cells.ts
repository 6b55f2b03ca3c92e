/**
 * The code cells of a notebook as one TypeScript module, so that they can be type-checked: the Jupyter kernel of
 * Deno runs cells without a type check, and leaves a syntax error or a misspelt import without any visible output.
 */
import { InputError } from "../errors.ts";
import { codeOnly } from "./source_text.ts";

/** A cell as the notebook format has it (nbformat 4). */
export interface Cell {
  cell_type: string;
  source: string | string[];
  execution_count?: number | null;
  outputs?: Record<string, unknown>[];
  metadata?: Record<string, unknown>;
}

/** A notebook as its file has it (nbformat 4). */
export interface Notebook {
  cells: Cell[];
  metadata: Record<string, unknown>;
  nbformat: number;
  nbformat_minor: number;
}

/** Where a line of the module comes from; both count from 1. Code cells and text cells count alike. */
export interface CellLine {
  readonly cell: number;
  readonly line: number;
}

/** The module, and the origin of each of its lines (undefined for lines that are in no cell). */
export interface CellModule {
  readonly text: string;
  readonly origins: readonly (CellLine | undefined)[];
}

const importPattern =
  /^import\s+(?:type\s+)?[^"'();]*?\s*from\s*["']([^"']+)["'];?|^import\s*["']([^"']+)["'];?/gm;

/** Reads a notebook file. @throws InputError when it is none of nbformat 4. */
export async function readNotebook(path: string): Promise<Notebook> {
  let notebook: Partial<Notebook>;
  try {
    notebook = JSON.parse(await Deno.readTextFile(path));
  } catch (error) {
    throw new InputError(
      `${path} is no readable notebook: ${error instanceof Error ? error.message : error}`,
    );
  }
  if (notebook.nbformat !== 4 || !Array.isArray(notebook.cells)) {
    throw new InputError(`${path} is no notebook of format 4 (found format ${notebook.nbformat})`);
  }
  return notebook as Notebook;
}

/** The text of a cell. */
function sourceOf(cell: Cell): string {
  return Array.isArray(cell.source) ? cell.source.join("") : cell.source;
}

/**
 * One module with the code of all cells in their order. Imports move to the top, repeated ones are dropped; a cell
 * that declares a name again, as the kernel allows, opens an inner block that holds for all cells after it.
 */
export function cellsToModule(cells: readonly Cell[]): CellModule {
  const head: { text: string; origin: CellLine }[] = [];
  const body: { text: string; origin: CellLine }[] = [];
  const imported = new Set<string>();
  let scope = new Set<string>();
  let openBlocks = 0;
  cells.forEach((cell, index) => {
    if (cell.cell_type !== "code") return;
    const text = sourceOf(cell).replace(importPattern, (statement, ...rest) => {
      const offset: number = rest.at(-2);
      const first = sourceOf(cell).slice(0, offset).split("\n").length;
      withoutRepeats(statement, imported).split("\n").forEach((line, i) =>
        head.push({ text: line, origin: { cell: index + 1, line: first + i } })
      );
      return statement.replace(/[^\n]/g, "");
    });
    const names = declaredNames(text);
    const declaresAgain = names.some((name) => scope.has(name));
    if (declaresAgain) {
      openBlocks++;
      scope = new Set();
    }
    for (const name of names) scope.add(name);
    text.split("\n").forEach((line, i) => {
      const prefix = i > 0 ? "" : declaresAgain ? ";{ " : ";";
      body.push({ text: prefix + line, origin: { cell: index + 1, line: i + 1 } });
    });
  });
  const lines = [...head, ...body];
  return {
    text: `${lines.map((line) => line.text).join("\n")}\n${"}".repeat(openBlocks)}\nexport {};\n`,
    origins: lines.map((line) => line.origin),
  };
}

/** The names that a text declares outside of any bracket. */
function declaredNames(text: string): string[] {
  const code = codeOnly(text);
  const names: string[] = [];
  let depth = 0;
  let start = 0;
  for (let i = 0; i <= code.length; i++) {
    const isBreak = i === code.length || code[i] === "\n" || code[i] === ";";
    if (isBreak && depth === 0) {
      names.push(...namesOfStatement(code.slice(start, i).trim()));
      start = i + 1;
    } else if ("([{".includes(code[i] ?? " ")) {
      depth++;
    } else if (")]}".includes(code[i] ?? " ")) {
      depth = Math.max(0, depth - 1);
    }
  }
  return names;
}

function namesOfStatement(statement: string): string[] {
  const pattern = /^(?:const|let|var)\s*([{[][^=]*[}\]])\s*[=:]/.exec(statement);
  if (pattern !== null) return pattern[1].match(/[A-Za-z_$][\w$]*(?!\s*:)(?=\s*[,}\]=])/g) ?? [];
  const simple =
    /^(?:const|let|var|class|interface|type|enum|(?:async\s+)?function\s*\*?)\s+([A-Za-z_$][\w$]*)/;
  const match = simple.exec(statement);
  return match === null ? [] : [match[1]];
}

/** The import statement without the names that came from the same place before; its line breaks stay. */
function withoutRepeats(statement: string, imported: Set<string>): string {
  const from = /["']([^"']+)["'];?$/.exec(statement)?.[1] ?? "";
  const isNew = (name: string) => {
    const key = `${from} ${name.trim()}`;
    if (imported.has(key)) return false;
    imported.add(key);
    return true;
  };
  const braces = /\{([^}]*)\}/.exec(statement);
  if (braces === null) return isNew(statement) ? statement : "";
  const kept = braces[1].split(",").filter((name) => name.trim() === "" || isNew(name)).join(",");
  return statement.replace(braces[0], () => `{${kept}}`);
}

/**
 * Checks the cells of notebooks with `deno check`: writes one module beside each notebook, and takes it away.
 *
 * @returns what `deno check` said, with the places in terms of notebook, cell and line; empty when all is well.
 */
export async function checkCells(paths: readonly string[], signal: AbortSignal): Promise<string> {
  const modules = await Promise.all(paths.map(async (path) => {
    const stem = path.replace(/^.*\//, "").replace(/\.ipynb$/, "");
    const file = `${path.slice(0, path.length - stem.length - 6)}.${stem}.cells.ts`;
    return { path, file, module: cellsToModule((await readNotebook(path)).cells) };
  }));
  if (modules.length === 0) return "";
  try {
    for (const { file, module } of modules) await Deno.writeTextFile(file, module.text);
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["check", "--quiet", ...modules.map(({ file }) => file)],
      env: { NO_COLOR: "1" },
      signal,
    }).output();
    if (code === 0) return "";
    const said = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
    return modules.reduce((text, { path, file, module }) => nameCells(text, path, file, module), said);
  } finally {
    for (const { file } of modules) await Deno.remove(file).catch(() => {});
  }
}

/** `file:///…/.name.cells.ts:12:5` → `name.ipynb, cell 3, line 2`. */
function nameCells(text: string, path: string, file: string, module: CellModule): string {
  const pattern = new RegExp(
    `file://[^\\s]*${escapePattern(encodeURI(file.replace(/^.*\//, "")))}:(\\d+):\\d+`,
    "g",
  );
  return text.replace(pattern, (_, line) => {
    const origin = module.origins[Number(line) - 1];
    const name = path.replace(/^.*\//, "");
    return origin === undefined ? name : `${name}, cell ${origin.cell}, line ${origin.line}`;
  });
}

function escapePattern(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}
