/**
 * What provisioning needs from the machine, gathered in one record so that it can be tried without network, compiler
 * and a large download.
 */

import { statfsSync } from "node:fs";
import { type PackageFolders, packageFolders } from "./package.ts";

/** A finished command. */
export interface CommandResult {
  /** Exit status; 127 when the program was not found. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Settings of a command. */
export interface CommandOptions {
  /** Environment variables that are added. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** The machine as provisioning sees it. */
export interface Host {
  /** `os-arch` in Deno's words. */
  readonly platform: string;
  /** An environment variable; `undefined` where it is not set or empty. */
  environment(name: string): string | undefined;
  /** Runs a program to its end; never throws for a missing program or a failure. */
  run(command: readonly string[], options?: CommandOptions): Promise<CommandResult>;
  /** Bytes that this user may still write on the disk of an existing folder; `undefined` where that is not known. */
  freeBytes(folder: string): number | undefined;
  /** Where the npm packages lie. */
  packages(): PackageFolders;
  /** A fresh process that loads a native module from this path and ends; `undefined` where that cannot be tried. */
  loadCommand(path: string): string[] | undefined;
}

/** This machine. */
export function systemHost(): Host {
  return {
    platform: `${Deno.build.os}-${Deno.build.arch}`,
    environment: (name) => Deno.env.get(name) || undefined,
    run: runCommand,
    freeBytes,
    packages: packageFolders,
    loadCommand,
  };
}

async function runCommand(command: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
  const [program, ...args] = command;
  try {
    const output = await new Deno.Command(program, {
      args,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
      ...(options.environment === undefined ? {} : { env: options.environment }),
    }).output();
    const decoder = new TextDecoder();
    return {
      code: output.code,
      stdout: decoder.decode(output.stdout),
      stderr: decoder.decode(output.stderr),
    };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.PermissionDenied) {
      return { code: 127, stdout: "", stderr: `${program}: ${error.message}` };
    }
    throw error;
  }
}

function freeBytes(folder: string): number | undefined {
  try {
    const { bavail, bsize } = statfsSync(folder);
    return bavail * bsize;
  } catch {
    return undefined;
  }
}

function loadCommand(path: string): string[] | undefined {
  // A program made by `deno compile` is its own executable and would run itself again.
  if (Deno.build.standalone) return undefined;
  const code = `import { createRequire } from "node:module";` +
    `createRequire("file:///")(${JSON.stringify(path)});`;
  return [Deno.execPath(), "eval", "--quiet", "--no-config", "--no-lock", code];
}
