import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import { basename } from 'node:path';
import { UsageError } from './failures.ts';

/** Runs a program of the API package, which needs the database instead of the API, with our terminal; resolves with its exit code. */
export async function runProgram(program: {
  readonly node: string;
  /** Of its built file. */
  readonly path: string;
  readonly args: readonly string[];
}): Promise<number> {
  const { node, path, args } = program;
  if (!existsSync(path)) {
    throw new UsageError(`packages/api/dist/${basename(path)} is not there: build first (pnpm build), or this version has none.`);
  }
  return new Promise((resolve, reject) => {
    const child = spawn(node, [path, ...args], { stdio: 'inherit' });
    child.once('error', reject);
    child.once('close', (code, signal) => resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal])));
  });
}
