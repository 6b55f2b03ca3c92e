/** All tables and figures of the paper by key. */
import { unknownName } from "../errors.ts";
import { table10, table4, table5, table6, table7, table8, table9 } from "./ablation_tables.ts";
import { table1, table2, table3 } from "./comparison_tables.ts";
import { table11 } from "./complexity_table.ts";
import { figures } from "./figures.ts";
import { type Item, labelOf, type PaperTable, type RunDeclaration } from "./item.ts";

/** Tables 1–10, in the order of the paper. */
export const tables: readonly PaperTable[] = [
  table1,
  table2,
  table3,
  table4,
  table5,
  table6,
  table7,
  table8,
  table9,
  table10,
];

/** Everything, in the order of the paper: tables, then figures. */
export const items: readonly Item[] = [...tables, table11, ...figures];

/**
 * The items of some keys; "all" means every one, "tables" and "figures" their kind.
 *
 * @throws InputError for an unknown key, with the nearest.
 */
export function itemsOf(keys: readonly string[]): Item[] {
  const groups: Readonly<Record<string, readonly Item[]>> = {
    all: items,
    tables: [...tables, table11],
    figures,
  };
  const chosen = keys.flatMap((typed) => {
    const key = typed.toLowerCase().replace(/^(table|figure)0+(?=\d)/, "$1");
    if (Object.hasOwn(groups, key)) return groups[key];
    const item = items.find((item) => item.key === key);
    if (item === undefined) {
      throw unknownName("item", typed, [...items.map(({ key }) => key), ...Object.keys(groups)]);
    }
    return [item];
  });
  return [...new Set(chosen)];
}

/** The runs that an item needs, with the names of its rows; none for Table 11 and for drawings. */
export function declaredRuns(
  item: Item,
): readonly { readonly label: string; readonly run: RunDeclaration }[] {
  if (item.kind === "complexity") return [];
  if (item.kind === "figure") return item.runs;
  return item.rows.map((row) => ({ label: labelOf(item, row), run: row.run }));
}
