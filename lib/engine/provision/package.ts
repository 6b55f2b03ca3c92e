/** The npm packages that the binding is compiled from, and putting the binding where they expect it. */

import { createRequire } from "node:module";
import { EnvironmentError } from "../../errors.ts";

/** Folders of two npm packages. */
export interface PackageFolders {
  /** `@tensorflow/tfjs-node-gpu`: the binding's sources, and the place where it is loaded from. */
  readonly binding: string;
  /** `node-api-headers`. */
  readonly headers: string;
}

/**
 * Where the npm packages lie for this checkout, whatever the layout of its node_modules.
 *
 * @throws EnvironmentError where they are not installed.
 */
export function packageFolders(): PackageFolders {
  return { binding: packageFolder("@tensorflow/tfjs-node-gpu"), headers: packageFolder("node-api-headers") };
}

function packageFolder(name: string): string {
  try {
    const manifest = createRequire(import.meta.url).resolve(`${name}/package.json`);
    return Deno.realPathSync(manifest).slice(0, -"/package.json".length);
  } catch {
    throw new EnvironmentError(
      `the npm package "${name}" is not installed in this checkout; run: npx -y deno@2.9.6 install`,
    );
  }
}

/** Version from the package.json of a package folder. */
export function packageVersion(folder: string): string {
  const manifest: { version: string } = JSON.parse(Deno.readTextFileSync(`${folder}/package.json`));
  return manifest.version;
}

/** The path at which `@tensorflow/tfjs-node-gpu` loads its binding. */
export function bindingPlace(packageFolder: string): string {
  return `${packageFolder}/lib/napi-v8/tfjs_binding.node`;
}

/** Whether the package's binding is a link to `binding`. */
export function isLinked(packageFolder: string, binding: string): boolean {
  try {
    return Deno.readLinkSync(bindingPlace(packageFolder)) === binding;
  } catch {
    return false;
  }
}

/**
 * Makes the package's binding a link to `binding`, in one step, so that a process that starts at this moment sees
 * the old one or the new one.
 *
 * @throws EnvironmentError where the package's folder cannot be written.
 */
export function linkBinding(packageFolder: string, binding: string): void {
  const place = bindingPlace(packageFolder);
  const beside = `${place}.${crypto.randomUUID()}.tmp`;
  try {
    Deno.mkdirSync(place.slice(0, place.lastIndexOf("/")), { recursive: true });
    Deno.symlinkSync(binding, beside);
    Deno.renameSync(beside, place);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new EnvironmentError(
      `cannot put the native binding at "${place}": ${reason}; make that folder writable and run again`,
    );
  }
}
