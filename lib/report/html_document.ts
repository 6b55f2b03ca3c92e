/** What every page of the kit begins and ends with: one file that needs no network. */
import { escapeXml } from "./svg.ts";

/** Name and value of what a reader needs to judge and repeat a page. */
export type Facts = readonly (readonly [name: string, value: string])[];

/** A whole HTML document about a body. */
export function htmlDocument(body: string, { title, style }: { title: string; style: string }): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeXml(title)}</title>
<style>${style}</style>
</head>
<body>
${body}
</body>
</html>
`;
}

/** Facts as a list of names and values. */
export function factsHtml(facts: Facts): string {
  const rows = facts.map(([name, value]) => `<dt>${escapeXml(name)}</dt><dd>${escapeXml(value)}</dd>`);
  return `<dl>${rows.join("")}</dl>`;
}
