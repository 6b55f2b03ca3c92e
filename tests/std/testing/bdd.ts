/**
 * A local stand-in for the part of `jsr:@std/testing/bdd` that the tests use, so that they run where jsr.io cannot
 * be reached. `links` in deno.json points here; without that entry the real package takes its place.
 *
 * Unlike the real one, every `it` is a test of its own (name: "describe > it"), so that the summary counts them.
 */

/** The body of a test. */
export type TestBody = (t: Deno.TestContext) => void | Promise<void>;

/** What runs before or after tests. */
export type Hook = () => void | Promise<void>;

/** Options of one test. */
export type ItOptions = Omit<Deno.TestDefinition, "name" | "fn">;

/** Options of a suite; they hold for every test in it. */
export type DescribeOptions = ItOptions;

interface Suite {
  readonly name: string;
  readonly parent: Suite | undefined;
  readonly options: DescribeOptions;
  readonly beforeAll: Hook[];
  readonly afterAll: Hook[];
  readonly beforeEach: Hook[];
  readonly afterEach: Hook[];
  /** Tests in it and below that have not run yet. */
  remaining: number;
  /** The run of `beforeAll`, once started. */
  started?: Promise<void>;
  finished: boolean;
}

let current: Suite = newSuite("", undefined, {});
const suites: Suite[] = [current];
let sweepIsRegistered = false;

/** A test. Parents' hooks surround it. */
export function it(name: string, fn: TestBody): void;
export function it(name: string, options: ItOptions, fn: TestBody): void;
export function it(name: string, optionsOrBody: ItOptions | TestBody, fn?: TestBody): void {
  register(name, optionsOrBody, fn, {});
}

/** A test that alone shall run. */
it.only = (name: string, optionsOrBody: ItOptions | TestBody, fn?: TestBody): void =>
  register(name, optionsOrBody, fn, { only: true });
/** A test that is left out, visibly. */
it.ignore = (name: string, optionsOrBody: ItOptions | TestBody, fn?: TestBody): void =>
  register(name, optionsOrBody, fn, { ignore: true });
/** A test that is left out, visibly. */
it.skip = it.ignore;

/** A group of tests; `fn` registers them at once. */
export function describe(name: string, fn: () => void): void;
export function describe(name: string, options: DescribeOptions, fn: () => void): void;
export function describe(name: string, optionsOrBody: DescribeOptions | (() => void), fn?: () => void): void {
  group(name, optionsOrBody, fn, {});
}

/** A group that alone shall run. */
describe.only = (name: string, optionsOrBody: DescribeOptions | (() => void), fn?: () => void): void =>
  group(name, optionsOrBody, fn, { only: true });
/** A group that is left out, visibly. */
describe.ignore = (name: string, optionsOrBody: DescribeOptions | (() => void), fn?: () => void): void =>
  group(name, optionsOrBody, fn, { ignore: true });
/** A group that is left out, visibly. */
describe.skip = describe.ignore;

/** Runs once before the first test of the group. */
export function beforeAll(fn: Hook): void {
  current.beforeAll.push(fn);
}

/** Runs once after the last test of the group. */
export function afterAll(fn: Hook): void {
  current.afterAll.push(fn);
}

/** Runs before every test of the group and of the groups in it. */
export function beforeEach(fn: Hook): void {
  current.beforeEach.push(fn);
}

/** Runs after every test of the group and of the groups in it. */
export function afterEach(fn: Hook): void {
  current.afterEach.push(fn);
}

function newSuite(name: string, parent: Suite | undefined, options: DescribeOptions): Suite {
  const hooks = { beforeAll: [], afterAll: [], beforeEach: [], afterEach: [] };
  return {
    name,
    parent,
    options: { ...parent?.options, ...options },
    ...hooks,
    remaining: 0,
    finished: false,
  };
}

function group(
  name: string,
  optionsOrBody: DescribeOptions | (() => void),
  fn: (() => void) | undefined,
  forced: DescribeOptions,
): void {
  const body = typeof optionsOrBody === "function" ? optionsOrBody : fn;
  const options = typeof optionsOrBody === "function" ? {} : optionsOrBody;
  if (body === undefined) throw new TypeError(`describe("${name}") needs a function`);
  const suite = newSuite(name, current, { ...options, ...forced });
  suites.push(suite);
  current = suite;
  try {
    const returned: unknown = body();
    if (returned instanceof Promise) {
      throw new TypeError(`describe("${name}") takes a function that is not async`);
    }
  } finally {
    current = suite.parent!;
  }
}

function register(
  name: string,
  optionsOrBody: ItOptions | TestBody,
  fn: TestBody | undefined,
  forced: ItOptions,
): void {
  const body = typeof optionsOrBody === "function" ? optionsOrBody : fn;
  const own = typeof optionsOrBody === "function" ? {} : optionsOrBody;
  if (body === undefined) throw new TypeError(`it("${name}") needs a function`);
  const chain = ancestry(current);
  const options = { ...current.options, ...own, ...forced };
  if (!options.ignore) {
    for (const suite of chain) suite.remaining++;
  }
  registerSweep();
  Deno.test({
    ...options,
    name: [...chain.map((suite) => suite.name).filter((part) => part !== ""), name].join(" > "),
    fn: (t) => runTest(chain, body, t),
  });
}

/** The suites around, outermost first. */
function ancestry(suite: Suite): Suite[] {
  return suite.parent === undefined ? [suite] : [...ancestry(suite.parent), suite];
}

async function runTest(chain: readonly Suite[], body: TestBody, t: Deno.TestContext): Promise<void> {
  const errors: unknown[] = [];
  const attempt = async (work: () => void | Promise<void>) => {
    try {
      await work();
    } catch (error) {
      errors.push(error);
    }
  };
  await attempt(async () => {
    for (const suite of chain) await (suite.started ??= runInOrder(suite.beforeAll));
  });
  if (errors.length === 0) {
    await attempt(async () => {
      for (const suite of chain) await runInOrder(suite.beforeEach);
      await body(t);
    });
    for (const suite of chain.toReversed()) {
      for (const hook of suite.afterEach) await attempt(hook);
    }
  }
  for (const suite of chain.toReversed()) {
    suite.remaining--;
    if (suite.remaining === 0) await attempt(() => finish(suite));
  }
  if (errors.length === 1) throw errors[0];
  if (errors.length > 1) throw new AggregateError(errors, "The test and its hooks failed");
}

async function runInOrder(hooks: readonly Hook[]): Promise<void> {
  for (const hook of hooks) await hook();
}

async function finish(suite: Suite): Promise<void> {
  if (suite.finished || suite.started === undefined) return;
  suite.finished = true;
  await runInOrder(suite.afterAll);
}

/** Closes the suites of which a filter left tests out, so that their last test never came. */
function registerSweep(): void {
  if (sweepIsRegistered) return;
  sweepIsRegistered = true;
  Deno.test.afterAll(async () => {
    for (const suite of suites.toReversed()) await finish(suite);
  });
}
