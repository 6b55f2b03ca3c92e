/** One table in five notations: Markdown, CSV, LaTeX, HTML and plain text. */
import { escapeXml } from "./svg.ts";
import {
  alignment,
  type Cell,
  cellText,
  cellValue,
  type Column,
  heading,
  headingGroups,
  letter,
  type Mark,
  noteSign,
  startsBlock,
  type Table,
  tableMarks,
} from "./table.ts";

const markLegend =
  "Best of each block: bold; second best: underlined, and red where there are colours, as in the paper.";

/** GitHub Markdown: best bold, second best underlined, footnotes and caption below. */
export function tableMarkdown(table: Table): string {
  const marks = tableMarks(table);
  const escape = (content: string) => content.replaceAll("|", "\\|").replaceAll("\n", " ");
  const groups = headingGroups(table);
  const heads = table.columns.map((column) =>
    escape(
      groups === undefined || column.group === undefined
        ? heading(column)
        : `${column.group}: ${heading(column)}`,
    )
  );
  const body = table.rows.map((row, r) =>
    row.cells.map((cell, c) => {
      const content = escape(cellText(cell, table.columns[c]));
      const marked = marks[r][c] === "best"
        ? `**${content}**`
        : marks[r][c] === "second"
        ? `<ins>${content}</ins>`
        : content;
      return noteSign(cell) === "" ? marked : `${marked}<sup>${noteSign(cell)}</sup>`;
    })
  );
  const row = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  const lines = [
    `**${table.title}**`,
    "",
    row(heads),
    row(table.columns.map((column) => alignment(column) === "right" ? "---:" : ":---")),
    ...body.map(row),
    "",
  ];
  for (const [i, note] of table.footnotes.entries()) lines.push(`<sup>${letter(i)}</sup> ${note}  `);
  for (const one of captionLines(table, marks)) lines.push(`${one}  `);
  return `${lines.join("\n").trimEnd()}\n`;
}

/**
 * Comma-separated values (RFC 4180) with full precision. A column with spreads is followed by one of the
 * spreads; missing values are empty.
 */
export function tableCsv(table: Table): string {
  const quote = (content: string) =>
    /[",\n\r]/.test(content) ? `"${content.replaceAll('"', '""')}"` : content;
  const withSpread = table.columns.map((_, c) =>
    table.rows.some((row) => spreadOf(row.cells[c]) !== undefined)
  );
  const unit = (column: Column) => column.unit === undefined ? "" : ` (${column.unit})`;
  const heads = table.columns.flatMap((column, c) => {
    const head = `${column.label}${unit(column)}`;
    return withSpread[c] ? [head, `${column.label} standard deviation${unit(column)}`] : [head];
  });
  const rows = table.rows.map((row) =>
    row.cells.flatMap((cell, c) => {
      const value = typeof cell === "string" ? cell : String(cellValue(cell) ?? "");
      return withSpread[c] ? [value, String(spreadOf(cell) ?? "")] : [value];
    })
  );
  return [heads, ...rows].map((row) => row.map(quote).join(",")).join("\r\n") + "\r\n";
}

/** Columns that fit into one column of a page with two. */
const narrow = 6;

/** A LaTeX table environment for the package booktabs; best bold, second best red and underlined. */
export function tableLatex(table: Table, label?: string): string {
  const marks = tableMarks(table);
  const specification = table.columns.map((column) => alignment(column) === "right" ? "r" : "l").join("");
  const groups = headingGroups(table);
  const environment = table.columns.length > narrow ? "table*" : "table";
  // LaTeX numbers its tables itself.
  const title = table.title.replace(/^Table \d+\. /, "").replace(/\.?$/, ".");
  const lines = [
    "% Needs \\usepackage{amssymb,booktabs,graphicx,xcolor}; best: bold, second best: red and underlined",
    `\\begin{${environment}}[t]`,
    "\\centering",
    `\\caption{${latex([title, ...captionLines(table, marks)].join(" "))}}`,
  ];
  if (label !== undefined) lines.push(`\\label{${label}}`);
  // A table that is wider than the column is made smaller.
  lines.push("\\resizebox{\\ifdim\\width>\\linewidth\\linewidth\\else\\width\\fi}{!}{%");
  lines.push(`\\begin{tabular}{@{}${specification}@{}}`, "\\toprule");
  if (groups !== undefined) {
    let from = 1;
    const rules: string[] = [];
    const cells = groups.map((group) => {
      const to = from + group.span - 1;
      if (group.label !== "") rules.push(`\\cmidrule(lr){${from}-${to}}`);
      from = to + 1;
      return `\\multicolumn{${group.span}}{c}{${latex(group.label)}}`;
    });
    lines.push(`${cells.join(" & ")} \\\\`, rules.join(" "));
  }
  lines.push(`${table.columns.map((column) => latex(heading(column))).join(" & ")} \\\\`, "\\midrule");
  table.rows.forEach((row, r) => {
    if (startsBlock(table, r)) lines.push("\\midrule");
    const cells = row.cells.map((cell, c) => {
      const content = latex(cellText(cell, table.columns[c]));
      const [before, behind] = marks[r][c] === "best"
        ? ["\\textbf{", "}"]
        : marks[r][c] === "second"
        ? ["\\textcolor{red}{\\underline{", "}}"]
        : ["", ""];
      const note = noteSign(cell) === "" ? "" : `\\textsuperscript{${noteSign(cell)}}`;
      return `${before}${content}${behind}${note}`;
    });
    lines.push(`${cells.join(" & ")} \\\\`);
  });
  lines.push("\\bottomrule", "\\end{tabular}}");
  for (const [i, note] of table.footnotes.entries()) {
    lines.push(
      `\\par\\smallskip{\\footnotesize\\raggedright\\textsuperscript{${letter(i)}}\\,${latex(note)}\\par}`,
    );
  }
  lines.push(`\\end{${environment}}`);
  return `${lines.join("\n")}\n`;
}

/** Characters from which on the text of a cell may be broken into lines. */
const longText = 28;

/** An HTML table with caption and footnotes, in one `<figure>`. */
export function tableHtml(table: Table): string {
  const marks = tableMarks(table);
  const groups = headingGroups(table);
  const side = (column: Column) => alignment(column) === "right" ? ' class="number"' : "";
  const groupRow = groups === undefined
    ? ""
    : `<tr>${
      groups.map((group) =>
        group.label === ""
          ? `<td colspan="${group.span}"></td>`
          : `<th scope="colgroup" colspan="${group.span}">${escapeXml(group.label)}</th>`
      ).join("")
    }</tr>`;
  // Column groups of their own let a page part them.
  const columnGroups = (groups ?? []).map(({ span }) => `<colgroup span="${span}"></colgroup>`).join("");
  const heads = table.columns.map((column) =>
    `<th scope="col"${side(column)}>${escapeXml(heading(column))}</th>`
  );
  const rows = table.rows.map((row, r) => {
    const cells = row.cells.map((cell, c) => {
      const content = escapeXml(cellText(cell, table.columns[c]));
      const marked = marks[r][c] === "best"
        ? `<strong>${content}</strong>`
        : marks[r][c] === "second"
        ? `<u class="second">${content}</u>`
        : content;
      const note = noteSign(cell) === "" ? "" : `<sup>${noteSign(cell)}</sup>`;
      const kind = content.length > longText ? ' class="text"' : side(table.columns[c]);
      return c === 0 ? `<th scope="row"${kind}>${marked}${note}</th>` : `<td${kind}>${marked}${note}</td>`;
    });
    return `<tr${startsBlock(table, r) ? ' class="block"' : ""}>${cells.join("")}</tr>`;
  });
  const notes = [
    ...table.footnotes.map((note, i) => `<sup>${letter(i)}</sup> ${escapeXml(note)}`),
    ...captionLines(table, marks).map(escapeXml),
  ];
  return `<figure class="table"><div class="scroll"><table><caption>${
    escapeXml(table.title)
  }</caption>${columnGroups}` +
    `<thead>${groupRow}<tr>${heads.join("")}</tr></thead><tbody>${rows.join("")}</tbody></table></div>` +
    (notes.length === 0 ? "" : `<figcaption>${notes.map((note) => `<p>${note}</p>`).join("")}</figcaption>`) +
    "</figure>\n";
}

/**
 * Plain text for a terminal, in columns. With `colour` best is bold and second best underlined (ANSI escapes);
 * without, best carries * and second best carries '.
 */
export function tableText(table: Table, options: { colour?: boolean } = {}): string {
  const marks = tableMarks(table);
  const sign = (mark: Mark) => options.colour ? "" : mark === "best" ? "*" : mark === "second" ? "'" : "";
  const anyMark = marks.some((row) => row.some((mark) => mark !== undefined));
  const marked = (c: number) => anyMark && !options.colour && table.columns[c].direction !== undefined;
  const cells = table.rows.map((row, r) =>
    row.cells.map((cell, c) => {
      const content = cellText(cell, table.columns[c]) + (noteSign(cell) === "" ? "" : `[${noteSign(cell)}]`);
      return content + (sign(marks[r][c]) || (marked(c) ? " " : ""));
    })
  );
  const heads = table.columns.map((column, c) => heading(column) + (marked(c) ? " " : ""));
  const widths = heads.map((head, c) =>
    Math.max([...head].length, ...cells.map((row) => [...row[c]].length))
  );
  const pad = (content: string, c: number) => {
    const space = " ".repeat(widths[c] - [...content].length);
    return alignment(table.columns[c]) === "right" ? space + content : content + space;
  };
  const style = (content: string, mark: Mark) => {
    if (!options.colour || mark === undefined) return content;
    const word = content.trim();
    return content.replace(word, `\u001b[${mark === "best" ? 1 : 4}m${word}\u001b[0m`);
  };
  const rule = widths.map((width) => "─".repeat(width)).join("──");
  const lines = [table.title, rule, ...groupLine(table, widths), heads.map(pad).join("  ").trimEnd(), rule];
  cells.forEach((row, r) => {
    if (startsBlock(table, r)) lines.push(rule);
    lines.push(row.map((content, c) => style(pad(content, c), marks[r][c])).join("  ").trimEnd());
  });
  lines.push(rule);
  if (anyMark && !options.colour) lines.push("* best, ' second best");
  for (const [i, note] of table.footnotes.entries()) lines.push(`[${letter(i)}] ${note}`);
  return `${[...lines, ...table.caption].join("\n")}\n`;
}

/** The headings of groups over their columns, each at its left side; no line where there are none. */
function groupLine(table: Table, widths: readonly number[]): string[] {
  let column = 0;
  const cells = headingGroups(table)?.map(({ label, span }) => {
    const width = widths.slice(column, column + span).reduce((sum, one) => sum + one + 2, -2);
    column += span;
    return label.padEnd(width);
  });
  return cells === undefined ? [] : [cells.join("  ").trimEnd()];
}

function captionLines(table: Table, marks: readonly (readonly Mark[])[]): string[] {
  return marks.some((row) => row.some((mark) => mark !== undefined))
    ? [markLegend, ...table.caption]
    : [...table.caption];
}

function spreadOf(cell: Cell): number | undefined {
  return typeof cell === "object" ? cell?.spread : undefined;
}

const latexCharacters: Readonly<Record<string, string>> = {
  "\\": "\\textbackslash{}",
  "{": "\\{",
  "}": "\\}",
  "#": "\\#",
  "$": "\\$",
  "%": "\\%",
  "&": "\\&",
  "_": "\\_",
  "^": "\\textasciicircum{}",
  "~": "\\textasciitilde{}",
  "↑": "$\\uparrow$",
  "↓": "$\\downarrow$",
  "±": "$\\pm$",
  "×": "$\\times$",
  "−": "$-$",
  "–": "--",
  "≤": "$\\le$",
  "≥": "$\\ge$",
  // Two hyphens of a command would become a dash.
  "--": "-{}-",
  "✓": "$\\checkmark$",
  "Δ": "$\\Delta$",
  "·": "$\\cdot$",
  "…": "\\ldots{}",
  "α": "$\\alpha$",
  "β": "$\\beta$",
  "γ": "$\\gamma$",
  "²": "\\textsuperscript{2}",
  "³": "\\textsuperscript{3}",
};

function latex(content: string): string {
  return content.replace(/--|[\\{}#$%&_^~↑↓±×−–≤≥✓Δ·…αβγ²³]/g, (found) => latexCharacters[found]);
}
