/**
 * Interrupts of a notebook. Without a listener SIGINT, which is what the interrupt button sends, ends the kernel of
 * Deno and everything that it knows; with one it only ends the work that a cell waits for.
 */

let current: AbortController | undefined;
let isListening = false;

/**
 * Does work that an interrupt ends through the signal; the kernel and its variables stay. From the first call on the
 * kernel takes no other notice of interrupts, so that a loop that never waits can only be ended by a restart.
 */
export async function interruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  if (!isListening) {
    Deno.addSignalListener("SIGINT", () => current?.abort());
    isListening = true;
  }
  const controller = new AbortController();
  current = controller;
  try {
    return await work(controller.signal);
  } finally {
    current = undefined;
  }
}
