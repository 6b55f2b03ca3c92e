/** Every verb of the command line, in the order of the overview. A new verb is its file and one line here. */
import type { Verb } from "./command.ts";

/** Name → module, loaded when it is needed. */
export const verbs: Readonly<Record<string, () => Promise<Verb>>> = {
  demo: () => import("./demo.ts"),
  prepare: () => import("./prepare.ts"),
  train: () => import("./train.ts"),
  evaluate: () => import("./evaluate.ts"),
  extract: () => import("./extract.ts"),
  predict: () => import("./predict.ts"),
  metrics: () => import("./metrics.ts"),
  inspect: () => import("./inspect.ts"),
  study: () => import("./study.ts"),
  report: () => import("./report.ts"),
  methods: () => import("./methods.ts"),
  parity: () => import("./parity.ts"),
  bench: () => import("./bench.ts"),
  test: () => import("./test.ts"),
  ok: () => import("./ok.ts"),
  doctor: () => import("./doctor.ts"),
  setup: () => import("./setup.ts"),
  notebooks: () => import("./notebooks.ts"),
};
