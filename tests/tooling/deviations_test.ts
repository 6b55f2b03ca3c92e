import { describe, it } from "@std/testing/bdd";
import { assert } from "@std/assert";
import { flagOf } from "../../lib/cli/command.ts";
import { verbs } from "../../lib/cli/verbs.ts";
import { methods } from "../../lib/methods/mod.ts";

const document = await Deno.readTextFile(new URL("../../DEVIATIONS.md", import.meta.url));

/** The last cell of every row that is not a heading: what can be set. */
const settings = document.split("\n").filter((line) => line.startsWith("| ")).map((line) => {
  const cells = line.split("|").map((cell) => cell.trim());
  return { topic: cells.slice(1, 3).join(", "), setting: cells[cells.length - 2] };
}).filter(({ setting }) => setting !== "setting" && !/^-+$/.test(setting));

/** "train --seed" and so on. */
const options = new Set(
  (await Promise.all(Object.values(verbs).map(async (load) => (await load()).command))).flatMap((command) =>
    Object.keys(command.options ?? {}).map((key) => `${command.name} ${flagOf(key)}`)
  ),
);

const hyperparameters = new Set(methods.flatMap(({ defaults }) => Object.keys(defaults("paper"))));

describe("DEVIATIONS.md", () => {
  for (const { topic, setting } of settings) {
    it(`names only settings that exist: ${topic}`, () => {
      const names = [...setting.matchAll(/`([^`]+)`/g)].map(([, name]) => name);
      assert(
        names.length > 0 || setting.startsWith("none"),
        `"${setting}" names no setting and is not "none"`,
      );
      for (const name of names) {
        const [, verb, flag] = /^(\w+ )?--([\w-]+)/.exec(name) ?? [];
        if (flag === undefined) {
          assert(
            ["paper", "official"].includes(name) || hyperparameters.has(name),
            `no method has "${name}"`,
          );
        } else assert(options.has(`${(verb ?? "train ").trim()} --${flag}`), `no verb has ${name}`);
      }
      // "`name`: value, value" lists the values that the setting takes.
      const listed = /^`(\w+)`: ([\w]+(?:, [\w]+)+)/.exec(setting);
      if (listed === null) return;
      const [, name, values] = listed;
      // Methods may give one name different values.
      const known = methods.flatMap((method) => method.choices?.[name] ?? []);
      if (known.length === 0) return;
      const sets = methods.map((method) => [...method.choices?.[name] ?? []].sort().join());
      assert(sets.includes(values.split(", ").sort().join()), `no method takes ${values} for ${name}`);
    });
  }

  it("has a row for every setting in which a method's variants differ", () => {
    for (const { key, defaults } of methods) {
      const [paper, official] = [defaults("paper"), defaults("official")];
      for (const name of Object.keys(paper)) {
        if (paper[name] === official[name]) continue;
        const row = settings.find(({ setting }) => setting.includes(`\`${name}\``));
        assert(
          row?.setting.includes("`official`"),
          `${key}: no row names \`${name}\` and what \`official\` takes`,
        );
      }
    }
  });
});
