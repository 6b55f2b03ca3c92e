/** Where the shared reference material lies, for tests that compare with recorded numbers. */

import { fileURLToPath } from "node:url";

/**
 * The shared folder: the environment variable SASNET_SHARED, else the folder `shared` beside the checkout;
 * `undefined` where there is none.
 */
export function sharedFolder(): string | undefined {
  const path = Deno.env.get("SASNET_SHARED") ?? fileURLToPath(new URL("../../shared", import.meta.url));
  try {
    return Deno.statSync(path).isDirectory ? path : undefined;
  } catch {
    return undefined;
  }
}
