/**
 * A local stand-in for the part of `jsr:@std/assert` that the tests use, so that they run where jsr.io cannot be
 * reached. `links` in deno.json points here; without that entry the real package takes its place unchanged.
 */

/** What a failed assertion throws. */
export class AssertionError extends Error {
  override name = "AssertionError";
}

/** Any class, abstract or not. */
// deno-lint-ignore no-explicit-any
export type AnyConstructor = abstract new (...args: any[]) => any;

/** Fails unless `condition` is truthy. */
export function assert(condition: unknown, message = ""): asserts condition {
  if (!condition) throw new AssertionError(message);
}

/** Fails unless `condition` is falsy. */
export function assertFalse(
  condition: unknown,
  message = "Expected a falsy value",
): asserts condition is false {
  if (condition) throw new AssertionError(message);
}

/** Fails always. */
export function fail(message?: string): never {
  throw new AssertionError(`Failed assertion${message === undefined ? "." : `: ${message}`}`);
}

/** Fails unless both are equal in structure: same types, keys, elements; NaN equals NaN and 0 equals −0. */
export function assertEquals<T>(actual: T, expected: T, message?: string): void {
  const path = firstDifference(actual, expected, new Map());
  if (path === undefined) return;
  const where = path === "" ? "" : `\n    first difference at ${path}`;
  throw failure(
    `Values are not equal${where}\n    actual:   ${show(actual)}\n    expected: ${show(expected)}`,
    message,
  );
}

/** Fails when both are equal in structure. */
export function assertNotEquals<T>(actual: T, expected: T, message?: string): void {
  if (firstDifference(actual, expected, new Map()) !== undefined) return;
  throw failure(`Expected a value that differs from ${show(expected)}`, message);
}

/** Fails unless `Object.is(actual, expected)`. */
export function assertStrictEquals<T>(actual: unknown, expected: T, message?: string): asserts actual is T {
  if (Object.is(actual, expected)) return;
  throw failure(
    `Values are not the same\n    actual:   ${show(actual)}\n    expected: ${show(expected)}`,
    message,
  );
}

/** Fails unless |actual − expected| is at most `tolerance` (if none is given: a ten-millionth of `expected`). */
export function assertAlmostEquals(
  actual: number,
  expected: number,
  tolerance?: number,
  message?: string,
): void {
  if (Object.is(actual, expected)) return;
  const limit = tolerance ?? (Number.isFinite(expected) ? Math.abs(expected * 1e-7) : 1e-7);
  const difference = Math.abs(expected - actual);
  if (difference <= limit) return;
  throw failure(`Expected ${actual} within ${limit} of ${expected}, but it is ${difference} away`, message);
}

/** Fails unless `fn` throws; with a class also unless it throws one of these whose message includes the text. */
export function assertThrows(fn: () => unknown, message?: string): unknown;
export function assertThrows<E extends Error = Error>(
  fn: () => unknown,
  // deno-lint-ignore no-explicit-any
  ErrorClass: abstract new (...args: any[]) => E,
  messageIncludes?: string,
  message?: string,
): E;
export function assertThrows(
  fn: () => unknown,
  classOrMessage?: AnyConstructor | string,
  messageIncludes?: string,
  message?: string,
): unknown {
  let thrown: { error: unknown } | undefined;
  try {
    fn();
  } catch (error) {
    thrown = { error };
  }
  return checkThrown("throw", thrown, classOrMessage, messageIncludes, message);
}

/** As `assertThrows`, for a function that returns a promise. */
export function assertRejects(fn: () => PromiseLike<unknown>, message?: string): Promise<unknown>;
export function assertRejects<E extends Error = Error>(
  fn: () => PromiseLike<unknown>,
  // deno-lint-ignore no-explicit-any
  ErrorClass: abstract new (...args: any[]) => E,
  messageIncludes?: string,
  message?: string,
): Promise<E>;
export async function assertRejects(
  fn: () => PromiseLike<unknown>,
  classOrMessage?: AnyConstructor | string,
  messageIncludes?: string,
  message?: string,
): Promise<unknown> {
  let thrown: { error: unknown } | undefined;
  let promise: PromiseLike<unknown>;
  try {
    promise = fn();
  } catch {
    throw failure("Expected the function to reject, but it threw at once", message);
  }
  try {
    await promise;
  } catch (error) {
    thrown = { error };
  }
  return checkThrown("reject", thrown, classOrMessage, messageIncludes, message);
}

/** Fails unless `actual` contains `expected`. */
export function assertStringIncludes(actual: string, expected: string, message?: string): void {
  if (!actual.includes(expected)) {
    throw failure(`Expected a text that contains ${show(expected)}, found ${show(actual)}`, message);
  }
}

/** Fails unless the pattern matches. */
export function assertMatch(actual: string, expected: RegExp, message?: string): void {
  if (!expected.test(actual)) {
    throw failure(`Expected a text that matches ${expected}, found ${show(actual)}`, message);
  }
}

/** Fails unless every element of `expected` occurs in `actual`. */
export function assertArrayIncludes<T>(actual: ArrayLike<T>, expected: ArrayLike<T>, message?: string): void {
  const missing = Array.from(expected).filter((wanted) =>
    !Array.from(actual).some((found) => firstDifference(found, wanted, new Map()) === undefined)
  );
  if (missing.length > 0) throw failure(`Expected ${show(actual)} to include ${show(missing)}`, message);
}

/** Fails unless actual > expected. */
export function assertGreater<T>(actual: T, expected: T, message?: string): void {
  if (!(actual > expected)) throw failure(`Expected ${show(actual)} > ${show(expected)}`, message);
}

/** Fails unless actual ≥ expected. */
export function assertGreaterOrEqual<T>(actual: T, expected: T, message?: string): void {
  if (!(actual >= expected)) throw failure(`Expected ${show(actual)} >= ${show(expected)}`, message);
}

/** Fails unless actual < expected. */
export function assertLess<T>(actual: T, expected: T, message?: string): void {
  if (!(actual < expected)) throw failure(`Expected ${show(actual)} < ${show(expected)}`, message);
}

/** Fails unless actual ≤ expected. */
export function assertLessOrEqual<T>(actual: T, expected: T, message?: string): void {
  if (!(actual <= expected)) throw failure(`Expected ${show(actual)} <= ${show(expected)}`, message);
}

/** Fails when `actual` is null or undefined. */
export function assertExists<T>(actual: T, message?: string): asserts actual is NonNullable<T> {
  if (actual === undefined || actual === null) throw failure(`Expected a value, found ${actual}`, message);
}

/** Fails unless `actual instanceof expectedType`. */
export function assertInstanceOf<T extends AnyConstructor>(
  actual: unknown,
  expectedType: T,
  message = "",
): asserts actual is InstanceType<T> {
  if (actual instanceof expectedType) return;
  throw failure(`Expected an instance of ${expectedType.name}, found ${describeValue(actual)}`, message);
}

function failure(reason: string, message: string | undefined): AssertionError {
  return new AssertionError(message ? `${reason}\n    ${message}` : reason);
}

function checkThrown(
  verb: string,
  thrown: { error: unknown } | undefined,
  classOrMessage: AnyConstructor | string | undefined,
  messageIncludes: string | undefined,
  message: string | undefined,
): unknown {
  if (typeof classOrMessage !== "function") {
    if (thrown === undefined) throw failure(`Expected the function to ${verb}`, classOrMessage);
    return thrown.error;
  }
  if (thrown === undefined) throw failure(`Expected the function to ${verb} ${classOrMessage.name}`, message);
  const error: unknown = thrown.error;
  if (!(error instanceof classOrMessage) || !(error instanceof Error)) {
    throw failure(
      `Expected the function to ${verb} ${classOrMessage.name}, found ${describeValue(error)}`,
      message,
    );
  }
  if (messageIncludes !== undefined && !error.message.includes(messageIncludes)) {
    throw failure(
      `Expected an error that says ${show(messageIncludes)}, found ${show(error.message)}`,
      message,
    );
  }
  return error;
}

function describeValue(value: unknown): string {
  if (value instanceof Error) return `${value.name}: ${value.message}`;
  if (typeof value === "object" && value !== null) {
    return `an instance of ${value.constructor?.name ?? "no class"}`;
  }
  return show(value);
}

function show(value: unknown): string {
  const text = Deno.inspect(value, { depth: 6, iterableLimit: 200, strAbbreviateSize: 4000, sorted: true });
  return text.length > 4000 ? `${text.slice(0, 4000)} …` : text;
}

/** The path of the first difference ("" at the top), or undefined when both are equal. */
function firstDifference(a: unknown, b: unknown, seen: Map<unknown, unknown>): string | undefined {
  if (a === b || Object.is(a, b)) return undefined;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return "";
  if (a.constructor !== b.constructor && (a.constructor ?? Object) !== (b.constructor ?? Object)) return "";
  if (seen.get(a) === b) return undefined;
  seen.set(a, b);
  if (a instanceof Date && b instanceof Date) return Object.is(a.getTime(), b.getTime()) ? undefined : "";
  if (a instanceof RegExp && b instanceof RegExp) return String(a) === String(b) ? undefined : "";
  if (a instanceof WeakMap || a instanceof WeakSet || a instanceof WeakRef) return "";
  if (a instanceof ArrayBuffer && b instanceof ArrayBuffer) {
    return firstDifference(new Uint8Array(a), new Uint8Array(b), seen);
  }
  if (ArrayBuffer.isView(a) && ArrayBuffer.isView(b)) {
    return a instanceof DataView
      ? firstDifference(bytesOf(a), bytesOf(b), seen)
      : elementDifference(a as Uint8Array, b as Uint8Array);
  }
  if (a instanceof Set && b instanceof Set) return sameMembers(a, b) ? undefined : "";
  if (a instanceof Map && b instanceof Map) return sameMembers(a.entries(), b.entries()) ? undefined : "";
  return keyDifference(a as Record<PropertyKey, unknown>, b as Record<PropertyKey, unknown>, seen);
}

function bytesOf(view: ArrayBufferView): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
}

function elementDifference(a: Uint8Array, b: Uint8Array): string | undefined {
  if (a.length !== b.length) return ".length";
  for (let i = 0; i < a.length; i++) {
    if (a[i] !== b[i] && !Object.is(a[i], b[i])) return `[${i}]`;
  }
  return undefined;
}

function sameMembers(a: Iterable<unknown>, b: Iterable<unknown>): boolean {
  const rest = [...b];
  for (const member of a) {
    const at = rest.findIndex((other) => firstDifference(member, other, new Map()) === undefined);
    if (at < 0) return false;
    rest.splice(at, 1);
  }
  return rest.length === 0;
}

function keyDifference(
  a: Record<PropertyKey, unknown>,
  b: Record<PropertyKey, unknown>,
  seen: Map<unknown, unknown>,
): string | undefined {
  const list = Array.isArray(a);
  if (list && Array.isArray(b) && a.length !== b.length) return ".length";
  const keys = new Set([...keysOf(a), ...keysOf(b)]);
  for (const key of keys) {
    const step = list ? `[${String(key)}]` : `.${String(key)}`;
    if (!Object.hasOwn(a, key) || !Object.hasOwn(b, key)) return step;
    const inner = firstDifference(a[key], b[key], seen);
    if (inner !== undefined) return step + inner;
  }
  return undefined;
}

function keysOf(value: object): PropertyKey[] {
  const symbols = Object.getOwnPropertySymbols(value).filter((key) =>
    Object.prototype.propertyIsEnumerable.call(value, key)
  );
  const hidden = value instanceof Error ? ["name", "message"].filter((key) => Object.hasOwn(value, key)) : [];
  return [...Object.keys(value), ...hidden, ...symbols];
}
