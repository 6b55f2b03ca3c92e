/** A look at TypeScript source as text, for checks that need no compiler. */

/**
 * The source with every comment, string and regular expression blanked out. Length and line breaks stay, so that
 * positions hold; the code inside `${…}` of a template stays too.
 */
export function codeOnly(source: string): string {
  const kept = source.split("");
  const blank = (from: number, to: number) => {
    for (let i = from; i < to; i++) if (kept[i] !== "\n") kept[i] = " ";
  };
  /** Depths of braces at which a `${` was opened. */
  const templates: number[] = [];
  let depth = 0;
  let i = 0;
  while (i < source.length) {
    const character = source[i];
    const pair = source.slice(i, i + 2);
    let end = i + 1;
    if (pair === "//") {
      end = endOrLength(source, source.indexOf("\n", i));
      blank(i, end);
    } else if (pair === "/*") {
      const close = source.indexOf("*/", i + 2);
      end = close < 0 ? source.length : close + 2;
      blank(i, end);
    } else if (character === '"' || character === "'") {
      end = quotedEnd(source, i, character);
      blank(i + 1, end - 1);
    } else if (character === "`" || (character === "}" && templates.at(-1) === depth)) {
      if (character === "}") templates.pop();
      const part = templatePartEnd(source, i + 1);
      end = part.end;
      blank(i + 1, part.opensCode ? end - 2 : end - 1);
      if (part.opensCode) templates.push(depth);
    } else if (character === "/" && startsRegularExpression(source, i)) {
      end = regularExpressionEnd(source, i);
      blank(i + 1, end - 1);
    } else if (character === "{") {
      depth++;
    } else if (character === "}") {
      depth--;
    }
    i = end;
  }
  return kept.join("");
}

function endOrLength(source: string, at: number): number {
  return at < 0 ? source.length : at;
}

function quotedEnd(source: string, start: number, quote: string): number {
  for (let i = start + 1; i < source.length; i++) {
    if (source[i] === "\\") i++;
    else if (source[i] === quote || source[i] === "\n") return i + 1;
  }
  return source.length;
}

function templatePartEnd(source: string, start: number): { end: number; opensCode: boolean } {
  for (let i = start; i < source.length; i++) {
    if (source[i] === "\\") i++;
    else if (source[i] === "`") return { end: i + 1, opensCode: false };
    else if (source[i] === "$" && source[i + 1] === "{") return { end: i + 2, opensCode: true };
  }
  return { end: source.length, opensCode: false };
}

function startsRegularExpression(source: string, at: number): boolean {
  const before = source.slice(Math.max(0, at - 80), at).trimEnd();
  return before === "" || /[(,=:[!&|?{};+]$|\breturn$|=>$/.test(before);
}

function regularExpressionEnd(source: string, start: number): number {
  let inClass = false;
  for (let i = start + 1; i < source.length && source[i] !== "\n"; i++) {
    if (source[i] === "\\") i++;
    else if (source[i] === "[") inClass = true;
    else if (source[i] === "]") inClass = false;
    else if (source[i] === "/" && !inClass) return i + 1;
  }
  return start + 1;
}
