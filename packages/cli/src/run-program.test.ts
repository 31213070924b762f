import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { UsageError } from './failures.ts';
import { runProgram } from './run-program.ts';

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'postrider-cli-'));
});
afterEach(() => {
  rmSync(directory, { recursive: true });
});

function run(text: string, ...args: string[]): Promise<number> {
  const path = join(directory, 'program.mjs');
  writeFileSync(path, text);
  return runProgram({ node: process.execPath, path, args });
}

test('passes arguments on and the exit code back', async () => {
  expect(await run('process.exitCode = process.argv[2] === "--deep" ? 7 : 1', '--deep')).toBe(7);
});

test('counts a program that a signal ended as shells do', async () => {
  expect(await run('process.kill(process.pid, "SIGKILL")')).toBe(137);
});

test('says what to do where the program is missing', async () => {
  const missing = runProgram({ node: process.execPath, path: join(directory, 'missing.js'), args: [] });

  await expect(missing).rejects.toThrow(UsageError);
  await expect(missing).rejects.toThrow('packages/api/dist/missing.js is not there: build first (pnpm build)');
});
