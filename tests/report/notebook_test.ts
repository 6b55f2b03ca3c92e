import { describe, it } from "@std/testing/bdd";
import { assertEquals, assertStringIncludes } from "@std/assert";
import { notebookHtml } from "../../lib/report/notebook.ts";
import type { Table } from "../../lib/report/table.ts";

const table: Table = {
  title: "Two methods",
  columns: [
    { label: "Method" },
    { label: "Dice", unit: "%", direction: "up", group: "overlap" },
    { label: "remark of more than a few words", group: "text" },
  ],
  rows: [
    { cells: ["V-Net", 80.5, "a sentence that is long enough to be broken"] },
    { cells: ["SASNet", 90.25, ""] },
    { cells: ["A name that is long enough to be broken", 85, ""] },
  ],
  caption: [],
  footnotes: [],
};

/** What a code-hosting site leaves of HTML: neither styles nor classes, and no tag that it does not know. */
const sanitised = (html: string) =>
  html.replaceAll(/ (?:style|class)="[^"]*"/g, "").replaceAll(/<\/?(?:u|colgroup)\b[^>]*>/g, "");

describe("notebookHtml()", () => {
  const html = sanitised(notebookHtml(table));

  it("keeps the alignment of its cells where styles are removed", () => {
    assertStringIncludes(html, '<td align="right"><strong>90.25</strong></td>');
    assertStringIncludes(html, '<th scope="colgroup" colspan="1" align="center">overlap</th>');
    assertStringIncludes(html, '<td align="left">a sentence that is long enough to be broken</td>');
  });

  it("keeps the mark of the second best where styles are removed", () => {
    assertEquals([...html.matchAll(/<ins>([^<]*)<\/ins>/g)].map(([, value]) => value), ["85.00"]);
  });

  it("breaks long names of rows alone", () => {
    assertEquals(
      [...html.matchAll(/<th scope="row"( nowrap)? align="left">(\w+)/g)].map((
        [, kept, word],
      ) => [word, !!kept]),
      [["V", true], ["SASNet", true], ["A", false]],
    );
  });
});
