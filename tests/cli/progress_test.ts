import { describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import {
  createProgress,
  createStages,
  createStatusLine,
  type Display,
  formatBytes,
  formatDuration,
  progressLine,
} from "../../lib/cli/progress.ts";

function recorder(isTerminal: boolean): { display: Display; written: string[]; wait(ms: number): void } {
  const written: string[] = [];
  let time = 0;
  return {
    written,
    wait: (ms) => void (time += ms),
    display: { isTerminal, write: (text) => written.push(text), columns: () => 60, now: () => time },
  };
}

describe("createProgress()", () => {
  it("updates one line on a terminal and leaves the last state", () => {
    const { display, written, wait } = recorder(true);
    const progress = createProgress(display, createStatusLine(display));
    progress.update({ label: "SASNet", step: 1, total: 4 });
    wait(500);
    progress.update({ label: "SASNet", step: 2, total: 4, numbers: { loss: 0.41234 } });
    wait(10);
    progress.update({ label: "SASNet", step: 3, total: 4 });
    wait(490);
    progress.update({ label: "SASNet", step: 4, total: 4, memoryBytes: 1.6e9 });
    progress.finish();
    assertEquals(written, [
      "SASNet  step 1/4",
      "\r\x1b[2KSASNet  step 2/4  loss 0.412  0.500 s/step  1.0 s left",
      "\r\x1b[2KSASNet  step 4/4  0.333 s/step  1.60 GB",
      "\r\x1b[2K",
      "SASNet  step 4/4  0.333 s/step  1.60 GB\n",
    ]);
  });

  it("writes plain lines now and then elsewhere", () => {
    const { display, written, wait } = recorder(false);
    const progress = createProgress(display, createStatusLine(display), 30);
    for (let step = 1; step <= 8; step++) {
      progress.update({ step, total: 8 });
      wait(10_000);
    }
    progress.finish();
    assertEquals(written, [
      "step 1/8\n",
      "step 4/8  10 s/step  40 s left\n",
      "step 7/8  10 s/step  10 s left\n",
      "step 8/8  10 s/step\n",
    ]);
  });

  it("cuts a line that is wider than the terminal", () => {
    const { display, written } = recorder(true);
    createProgress(display, createStatusLine(display)).update({ label: "x".repeat(100), step: 1, total: 2 });
    assertEquals(written, [`${"x".repeat(58)}…`]);
  });
});

describe("createStatusLine()", () => {
  it("keeps the updating line below lines that stay", () => {
    const { display, written } = recorder(true);
    const lines = createStatusLine(display);
    lines.status("working");
    lines.line("a note");
    lines.status(undefined);
    assertEquals(written, ["working", "\r\x1b[2K", "a note\nworking", "\r\x1b[2K"]);
  });
});

describe("createStages()", () => {
  it("numbers the stages and says how long they took", () => {
    const { display, written, wait } = recorder(false);
    const stages = createStages(display, createStatusLine(display), 2);
    stages.start("download");
    stages.detail("12 of 230 MB");
    wait(7200);
    stages.start("compile");
    wait(300);
    stages.done("with g++");
    stages.done();
    assertEquals(written, ["[1/2] download  7.2 s\n", "[2/2] compile  with g++  0.3 s\n"]);
  });
});

describe("progressLine()", () => {
  it("writes numbers with three digits", () => {
    const numbers = { a: 0.000012345, b: 12345.6, c: 7, d: NaN, e: -0.5 };
    assertEquals(
      progressLine({ step: 1, total: 2, numbers }, undefined),
      "step 1/2  a 1.23e-5  b 12346  c 7  d NaN  e -0.500",
    );
  });
});

describe("formatDuration()", () => {
  it("uses two units at most", () => {
    const seconds = [0.04, 9.96, 59.4, 60, 581, 3599.6, 7512, 100_000];
    const texts = [
      "0.0 s",
      "10 s",
      "59 s",
      "1 min 00 s",
      "9 min 41 s",
      "1 h 00 min",
      "2 h 05 min",
      "1 d 4 h",
    ];
    assertEquals(seconds.map(formatDuration), texts);
  });
});

describe("formatBytes()", () => {
  it("uses decimal units", () => {
    assertEquals([0, 512, 64e6, 1.534e9, 999_900].map(formatBytes), [
      "0 B",
      "512 B",
      "64.0 MB",
      "1.53 GB",
      "1.00 MB",
    ]);
  });
});
