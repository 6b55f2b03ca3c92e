/** What the notebook of a table or figure runs: its profile and seeds, and the command that does the same. */
import { type ProfileName, profileNames } from "../data/dataset.ts";
import { InputError, unknownName } from "../errors.ts";
import { defaultSeed } from "../experiments/choice.ts";
import { itemsOf } from "../experiments/items.ts";
import type { ReportScale } from "../report/paper_table.ts";

/** The scale of one item. */
export interface ItemScale extends ReportScale {
  /** Key of the item, such as "table4". */
  readonly item: string;
  readonly seeds: readonly number[];
}

/**
 * The scale of an item: what is not chosen comes from the environment, SASNET_PROFILE (smoke, mini or paper; smoke
 * where it is not set) and SASNET_SEEDS (such as 1,2,3; 1337 where it is not set).
 *
 * @throws InputError for an unknown item or profile, or seeds that are none.
 */
export function itemScale(
  item: string,
  chosen: { profile?: ProfileName; seeds?: readonly number[] } = {},
): ItemScale {
  const [{ key }] = itemsOf([item]);
  const profile = chosen.profile ?? profileOfEnvironment();
  const seeds = chosen.seeds ?? seedsOfEnvironment();
  const seedWords = seeds.length === 1 && seeds[0] === defaultSeed ? "" : ` --seeds ${seeds.join(",")}`;
  return {
    item: key,
    profile,
    seeds,
    variant: "paper",
    command: `npx -y deno@2.9.6 task study ${key} --profile ${profile}${seedWords}`,
  };
}

function profileOfEnvironment(): ProfileName {
  const typed = Deno.env.get("SASNET_PROFILE") ?? "smoke";
  const profile = profileNames.find((name) => name === typed);
  if (profile === undefined) throw unknownName("profile in SASNET_PROFILE", typed, profileNames);
  return profile;
}

function seedsOfEnvironment(): number[] {
  const typed = Deno.env.get("SASNET_SEEDS") ?? String(defaultSeed);
  const seeds = typed.split(",").map(Number);
  if (seeds.some((seed) => !Number.isInteger(seed) || seed < 0)) {
    throw new InputError(`SASNET_SEEDS is "${typed}", expected integers such as 1,2,3`);
  }
  return seeds;
}
