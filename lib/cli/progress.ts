/** What a command shows while it works: one updating line on a terminal, a plain line now and then elsewhere. */

/** Where the display goes, and the clock. */
export interface Display {
  write(text: string): void;
  /** True when lines can be redrawn. */
  readonly isTerminal: boolean;
  /** Columns of the terminal. */
  columns(): number;
  /** Milliseconds of a clock that never goes back. */
  now(): number;
}

/** Lines that stay, above at most one line that is redrawn. */
export interface StatusLine {
  /** A line that stays. */
  line(text: string): void;
  /** Shows, replaces or (undefined) takes away the updating line. Does nothing where no terminal is. */
  status(text: string | undefined): void;
}

/** How far the work is. */
export interface ProgressState {
  /** What is worked on, such as the method's name. */
  readonly label?: string;
  readonly step: number;
  readonly total: number;
  /** Named numbers, such as losses, in the order to be shown. */
  readonly numbers?: Readonly<Record<string, number>>;
  /** Memory in use, in bytes. */
  readonly memoryBytes?: number;
}

/** A progress display. */
export interface Progress {
  update(state: ProgressState): void;
  /** Ends the display; the last state stays as a plain line. */
  finish(): void;
}

/** A display of work that consists of a known number of named stages. */
export interface Stages {
  /** Begins the next stage, and ends the one before. */
  start(name: string): void;
  /** How far the stage is, such as "120 of 230 MB". */
  detail(text: string): void;
  /** Ends the stage; `text` stands in its line. */
  done(text?: string): void;
}

/** The two kinds of lines over a display. */
export function createStatusLine(display: Display): StatusLine {
  let shown = "";
  return {
    line(text) {
      if (shown !== "") display.write("\r\x1b[2K");
      display.write(`${text}\n${shown}`);
    },
    status(text) {
      if (!display.isTerminal) return;
      const next = text === undefined ? "" : truncate(text, display.columns() - 1);
      if (next === shown) return;
      display.write(`${shown === "" ? "" : "\r\x1b[2K"}${next}`);
      shown = next;
    },
  };
}

/** A progress display that writes a plain line every `everySeconds` where no terminal is. */
export function createProgress(display: Display, lines: StatusLine, everySeconds = 30): Progress {
  const recent: { step: number; time: number }[] = [];
  let lastShown = -Infinity;
  let last: { state: ProgressState; secondsPerStep: number | undefined; isPlain: boolean } | undefined;

  return {
    update(state) {
      const time = display.now();
      if (recent.length > 0 && state.step < recent[recent.length - 1].step) recent.length = 0;
      recent.push({ step: state.step, time });
      if (recent.length > 50) recent.shift();
      const steps = state.step - recent[0].step;
      const secondsPerStep = steps > 0 ? (time - recent[0].time) / 1000 / steps : undefined;
      const due = time - lastShown >= (display.isTerminal ? 100 : everySeconds * 1000);
      last = { state, secondsPerStep, isPlain: due && !display.isTerminal };
      if (!due) return;
      lastShown = time;
      const text = progressLine(state, secondsPerStep);
      if (display.isTerminal) lines.status(text);
      else lines.line(text);
    },
    finish() {
      lines.status(undefined);
      if (last !== undefined && !last.isPlain) lines.line(progressLine(last.state, last.secondsPerStep));
      last = undefined;
    },
  };
}

/** A display of stages: "[2/5] name … detail" while it runs, "[2/5] name  7.2 s" when it is done. */
export function createStages(display: Display, lines: StatusLine, count: number): Stages {
  let number = 0;
  let running: { name: string; since: number } | undefined;
  const done = (text?: string) => {
    if (running === undefined) return;
    lines.status(undefined);
    const seconds = formatDuration((display.now() - running.since) / 1000);
    lines.line(`[${number}/${count}] ${running.name}  ${text === undefined ? "" : `${text}  `}${seconds}`);
    running = undefined;
  };
  return {
    start(name) {
      done();
      number++;
      running = { name, since: display.now() };
      lines.status(`[${number}/${count}] ${name} …`);
    },
    detail(text) {
      if (running !== undefined) lines.status(`[${number}/${count}] ${running.name} … ${text}`);
    },
    done,
  };
}

/** One line: label, step of total, named numbers, seconds a step, time left, memory. */
export function progressLine(state: ProgressState, secondsPerStep: number | undefined): string {
  const parts = [`step ${state.step}/${state.total}`];
  if (state.label !== undefined) parts.unshift(state.label);
  for (const [name, value] of Object.entries(state.numbers ?? {})) {
    parts.push(`${name} ${formatNumber(value)}`);
  }
  if (secondsPerStep !== undefined) {
    parts.push(`${formatNumber(secondsPerStep)} s/step`);
    const left = (state.total - state.step) * secondsPerStep;
    if (left > 0) parts.push(`${formatDuration(left)} left`);
  }
  if (state.memoryBytes !== undefined) parts.push(formatBytes(state.memoryBytes));
  return parts.join("  ");
}

/** "0.4 s", "12 s", "9 min 41 s", "2 h 05 min", "1 d 3 h". */
export function formatDuration(seconds: number): string {
  if (!Number.isFinite(seconds)) return "unknown";
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, "0")} s`;
  const minutes = Math.round(whole / 60);
  if (minutes < 1440) return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, "0")} min`;
  const hours = Math.round(minutes / 60);
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** Bytes with a decimal unit: "512 B", "64.0 MB", "1.53 GB". */
export function formatBytes(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  const units = ["kB", "MB", "GB", "TB"];
  let value = bytes / 1000;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${value.toPrecision(3)} ${units[unit]}`;
}

/** Three significant digits, without an exponent where it reads well. */
function formatNumber(value: number): string {
  if (Number.isInteger(value)) return String(value);
  const size = Math.abs(value);
  return size >= 1e-3 && size < 1000
    ? value.toPrecision(3)
    : size < 1e6 && size >= 1000
    ? value.toFixed(0)
    : value.toExponential(2);
}

function truncate(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}…`;
}
