/** The methods of the paper's tables, in the order of its rows. */
import { InputError, unknownName } from "../errors.ts";
import { auss } from "./auss.ts";
import { bcp } from "./bcp.ts";
import { caussl } from "./caussl.ts";
import { dtc } from "./dtc.ts";
import { em } from "./em.ts";
import { galoss } from "./galoss.ts";
import { ict } from "./ict.ts";
import { mcNetPlus } from "./mc_net_plus.ts";
import { describeLimits, isWithin } from "./limits.ts";
import type { Hyperparameters, Method, Variant } from "./method.ts";
import { midss } from "./midss.ts";
import { mrnet } from "./mrnet.ts";
import { plgcl } from "./plgcl.ts";
import { sasnet } from "./sasnet.ts";
import { sassnet } from "./sassnet.ts";
import { scc } from "./scc.ts";
import { uaMt } from "./ua_mt.ts";
import { urpc } from "./urpc.ts";
import { vnet } from "./vnet.ts";

/** Written by hand: adding a method is a file and a line here. */
export const methods: readonly Method[] = [
  vnet as unknown as Method,
  uaMt as unknown as Method,
  sassnet as unknown as Method,
  dtc as unknown as Method,
  urpc as unknown as Method,
  mrnet as unknown as Method,
  scc as unknown as Method,
  ict as unknown as Method,
  em as unknown as Method,
  mcNetPlus as unknown as Method,
  caussl as unknown as Method,
  plgcl as unknown as Method,
  bcp as unknown as Method,
  auss as unknown as Method,
  midss as unknown as Method,
  galoss as unknown as Method,
  sasnet as unknown as Method,
];

/**
 * The method of a key.
 *
 * @throws InputError for an unknown key, with the nearest.
 */
export function methodOf(key: string): Method {
  const method = methods.find((method) => method.key === key.toLowerCase());
  if (method === undefined) throw unknownName("method", key, methods.map((method) => method.key));
  return method;
}

/**
 * The hyper-parameters of a run: the variant's defaults with the user's `key=value` settings.
 *
 * @throws InputError for an unknown key, a value of another kind or a number that is not allowed.
 */
export function hyperparametersOf(
  method: Method,
  variant: Variant,
  settings: readonly string[],
): Hyperparameters {
  const values: Record<string, string | number | boolean> = { ...method.defaults(variant) };
  for (const setting of settings) {
    const split = setting.indexOf("=");
    const key = setting.slice(0, split);
    if (split < 1) throw new InputError(`--set ${setting}: expected key=value, for example --set beta=0.5`);
    if (!(key in values)) throw unknownName(`hyper-parameter of ${method.name}`, key, Object.keys(values));
    values[key] = parseValue(method, key, setting.slice(split + 1), values[key]);
  }
  return values;
}

function parseValue(method: Method, key: string, text: string, like: string | number | boolean) {
  if (typeof like === "boolean") {
    if (text === "true" || text === "false") return text === "true";
    throw new InputError(`--set ${key}=${text}: expected true or false`);
  }
  if (typeof like === "number") {
    const value = Number(text);
    const limits = method.limits?.[key] ?? {};
    if (text.trim() !== "" && Number.isFinite(value) && isWithin(value, limits)) return value;
    throw new InputError(`--set ${key}=${text}: expected ${describeLimits(limits)}, for example ${like}`);
  }
  const choices = method.choices?.[key];
  if (choices !== undefined && !choices.includes(text)) throw unknownName(`value of ${key}`, text, choices);
  return text;
}
