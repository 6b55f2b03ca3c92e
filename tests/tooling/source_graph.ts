/** The imports and exports of the project's own files, read as text; enough for formatted code. */
import { cellsToModule, readNotebook } from "../../lib/cli/notebook_cells.ts";
import { codeOnly } from "../../lib/cli/source_text.ts";

/** One import, export-from, or dynamic import. */
export interface Import {
  readonly specifier: string;
  /** A type import is erased; a dynamic one is loaded when it is reached. */
  readonly kind: "value" | "type" | "dynamic";
  /** The imported names; "*" stands for all. */
  readonly names: readonly string[];
  /** Path of the file below the root, for a relative specifier. */
  readonly target: string | undefined;
}

/** One exported name. */
export interface Export {
  readonly name: string;
  readonly isType: boolean;
}

/** A file of the project. */
export interface SourceFile {
  /** Below the root, for example "lib/volume/crop.ts". */
  readonly path: string;
  readonly text: string;
  /** The text without comments, strings and regular expressions. */
  readonly code: string;
  readonly imports: readonly Import[];
  readonly exports: readonly Export[];
}

/** The checkout. */
export const root = decodeURIComponent(new URL("../..", import.meta.url).pathname).replace(/\/$/, "");

/** All TypeScript files below the folders, and the cells of notebooks as one file each. */
export async function readSources(...folders: readonly string[]): Promise<SourceFile[]> {
  const files: SourceFile[] = [];
  for (const path of folders.flatMap(filesBelow).sort()) {
    if (path.endsWith(".ts")) files.push(parseSource(path, await Deno.readTextFile(`${root}/${path}`)));
    if (path.endsWith(".ipynb")) {
      files.push(parseSource(path, cellsToModule((await readNotebook(`${root}/${path}`)).cells).text));
    }
  }
  return files;
}

/** Paths of all files below a folder of the checkout; none where it does not exist. */
export function filesBelow(folder: string): string[] {
  let entries: Deno.DirEntry[];
  try {
    entries = [...Deno.readDirSync(`${root}/${folder}`)];
  } catch {
    return [];
  }
  return entries.filter(({ name }) => !name.startsWith(".") && name !== "node_modules").flatMap((
    { name, isDirectory },
  ) => isDirectory ? filesBelow(`${folder}/${name}`) : [`${folder}/${name}`]);
}

/** The imports and exports of one text. */
export function parseSource(path: string, text: string): SourceFile {
  const code = codeOnly(text);
  return { path, text, code, imports: importsOf(path, text, code), exports: exportsOf(code) };
}

function importsOf(path: string, text: string, code: string): Import[] {
  const imports: Import[] = [];
  const add = (quote: number, kind: Import["kind"], names: readonly string[]) => {
    const specifier = text.slice(quote + 1, text.indexOf(text[quote], quote + 1));
    imports.push({ specifier, kind, names, target: resolve(path, specifier) });
  };
  for (const match of code.matchAll(/^(import|export)\s+(type\s+)?([^;"'=()]*?)\s*from\s*["']/gm)) {
    const clause = match[3];
    const braces = /\{([^}]*)\}/.exec(clause)?.[1];
    const named = (braces ?? "").split(",").map((name) => name.trim()).filter((name) => name !== "");
    const isType = match[2] !== undefined ||
      (braces !== undefined && clause.trim().startsWith("{") &&
        named.every((name) => name.startsWith("type ")));
    const names = braces === undefined
      ? ["*"]
      : named.map((name) => name.replace(/^type\s+/, "").split(/\s+as\s+/)[0]);
    add(match.index + match[0].length - 1, isType ? "type" : "value", names);
  }
  for (const match of code.matchAll(/^import\s*["']/gm)) add(match.index + match[0].length - 1, "value", []);
  for (const match of code.matchAll(/(?:\{([^{}]*)\}\s*=\s*await\s+)?\bimport\(\s*["']/g)) {
    const names = match[1]?.split(",").map((name) =>
      name.trim().split(":")[0]
    ).filter((name) => name !== "") ?? ["*"];
    add(match.index + match[0].length - 1, "dynamic", names);
  }
  return imports;
}

function exportsOf(code: string): Export[] {
  const exports: Export[] = [];
  const declaration =
    /^export\s+(?:declare\s+)?(?:abstract\s+)?(?:async\s+)?(const|let|function\s*\*?|class|interface|type|enum)\s+([A-Za-z_$][\w$]*)/gm;
  for (const [, keyword, name] of code.matchAll(declaration)) {
    exports.push({ name, isType: keyword === "interface" || keyword === "type" });
  }
  for (const [, type, names] of code.matchAll(/^export\s+(type\s+)?\{([^}]*)\}/gm)) {
    for (const part of names.split(",").map((name) => name.trim()).filter((name) => name !== "")) {
      const name = part.replace(/^type\s+/, "").split(/\s+as\s+/).at(-1)!;
      exports.push({ name, isType: type !== undefined || part.startsWith("type ") });
    }
  }
  return exports;
}

function resolve(path: string, specifier: string): string | undefined {
  if (!specifier.startsWith(".")) return undefined;
  return decodeURIComponent(new URL(specifier, `file:///${path}`).pathname).slice(1);
}

/**
 * The files along the first chain of imports from `start` to a file that `isGoal` accepts; undefined without one.
 *
 * @param kinds the kinds of imports that are followed.
 */
export function chainTo(
  start: SourceFile,
  files: ReadonlyMap<string, SourceFile>,
  kinds: readonly Import["kind"][],
  isGoal: (item: Import) => boolean,
): string[] | undefined {
  const queue: { file: SourceFile; chain: string[] }[] = [{ file: start, chain: [start.path] }];
  const seen = new Set([start.path]);
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    for (const item of next.file.imports.filter(({ kind }) => kinds.includes(kind))) {
      if (isGoal(item)) return [...next.chain, item.specifier];
      const file = item.target === undefined ? undefined : files.get(item.target);
      if (file === undefined || seen.has(file.path)) continue;
      seen.add(file.path);
      queue.push({ file, chain: [...next.chain, file.path] });
    }
  }
  return undefined;
}

/** Every cycle of static imports, types included, as the files along it; each cycle once. */
export function cycles(files: ReadonlyMap<string, SourceFile>): string[][] {
  const state = new Map<string, "open" | "done">();
  const stack: string[] = [];
  const found: string[][] = [];
  const visit = (file: SourceFile) => {
    state.set(file.path, "open");
    stack.push(file.path);
    for (const { kind, target } of file.imports) {
      const next = target === undefined || kind === "dynamic" ? undefined : files.get(target);
      if (next === undefined) continue;
      if (state.get(next.path) === "open") found.push([...stack.slice(stack.indexOf(next.path)), next.path]);
      if (state.get(next.path) === undefined) visit(next);
    }
    stack.pop();
    state.set(file.path, "done");
  };
  for (const file of files.values()) if (state.get(file.path) === undefined) visit(file);
  return found;
}
