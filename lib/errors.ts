/**
 * The two errors that a user can mend. Their message is one line: what failed, with which value, what was
 * expected, what to do next. Everything else that is thrown is a defect of the kit.
 */

/** Wrong usage or bad input. The command line ends with exit code 2 and has written nothing. */
export class InputError extends Error {
  override name = "InputError";
}

/** The machine lacks something. The command line ends with exit code 3; the message says what mends it. */
export class EnvironmentError extends Error {
  override name = "EnvironmentError";
}

/** What the system says where nothing more can be written, and what mends it. */
const full: readonly (readonly [RegExp, string])[] = [
  [/no space left/i, "the disk is full; free some space and run the command again"],
  [/quota exceeded/i, "the disk quota is used up; free some space and run the command again"],
  [
    /file too large/i,
    "it is larger than this process may write; raise the limit (ulimit -f) and run the command again",
  ],
];

/** Why nothing more can be written and what mends it, out of an error's text; `undefined` for other errors. */
export function noRoom(text: string): string | undefined {
  return full.find(([pattern]) => pattern.test(text))?.[1];
}

/**
 * The candidate that `value` begins, or else the nearest by edit distance, for messages such as "did you mean …".
 *
 * @returns the nearest of `candidates`, or `undefined` when none is within half of the length of `value`.
 */
function nearest(value: string, candidates: readonly string[]): string | undefined {
  let best: string | undefined;
  let bestDistance = Math.max(2, Math.ceil(value.length / 2)) + 1;
  for (const candidate of candidates) {
    // Half a name is nearer to its whole than to another name of its own length.
    const isBeginning = value.length > 1 && candidate.toLowerCase().startsWith(value.toLowerCase());
    const distance = isBeginning ? 0 : editDistance(value.toLowerCase(), candidate.toLowerCase());
    if (distance < bestDistance) {
      bestDistance = distance;
      best = candidate;
    }
  }
  return best;
}

/** "unknown WHAT "value" (did you mean …); known: a, b, c" — the one wording for every unknown name. */
export function unknownName(what: string, value: string, known: readonly string[]): InputError {
  const guess = nearest(value, known);
  const hint = guess === undefined ? "" : `, did you mean "${guess}"?`;
  return new InputError(`unknown ${what} "${value}"${hint} (known: ${known.join(", ")})`);
}

function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const current = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = previous[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1);
      current.push(Math.min(previous[j] + 1, current[j - 1] + 1, substitution));
    }
    previous = current;
  }
  return previous[b.length];
}
