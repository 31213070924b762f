import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const here = dirname(fileURLToPath(import.meta.url));

/** The last line of what a run of these test files prints. */
function lastLineOf(files: Readonly<Record<string, string>>): string | undefined {
  // Below this package, where vitest is found.
  mkdirSync(join(here, '..', 'dist'), { recursive: true });
  const directory = mkdtempSync(join(here, '..', 'dist', 'summary-'));
  try {
    writeFileSync(join(directory, 'vitest.config.mjs'), 'export default {};');
    for (const [name, text] of Object.entries(files)) {
      writeFileSync(join(directory, `${name}.test.mjs`), `import { beforeAll, expect, test } from 'vitest';\n${text}`);
    }
    const vitest = join(dirname(createRequire(import.meta.url).resolve('vitest/package.json')), 'vitest.mjs');
    const args = ['run', '--root', directory, '--exclude', 'none', '--reporter=default', `--reporter=${join(here, 'summary-reporter.ts')}`];
    const env = { PATH: process.env['PATH'], NO_COLOR: '1' };
    const { stdout } = spawnSync(process.execPath, [vitest, ...args], { cwd: directory, env, encoding: 'utf8' });
    return stdout.trimEnd().split('\n').at(-1);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

const good = "test('one', () => {}); test('two', () => {});";

test('the last line counts what passed and failed', () => {
  expect(lastLineOf({ good })).toBe('2 passed, 0 failed');
  expect(lastLineOf({ good, bad: "test('bad', () => expect(1).toBe(2));" })).toBe('2 passed, 1 failed');
});

test('files and hooks that fail, and errors that no test owns, count as failures', () => {
  expect(lastLineOf({ good, unreadable: "import './nowhere.mjs';" })).toBe('2 passed, 1 failed');
  expect(lastLineOf({ hook: `beforeAll(() => { throw new Error('hook'); }); ${good}` })).toMatch(/^0 passed, [1-9]\d* failed$/);
  expect(
    lastLineOf({
      good: `${good} setTimeout(() => { throw new Error('late'); }); test('waits', () => new Promise((r) => setTimeout(r, 200)));`,
    }),
  ).toBe('3 passed, 1 failed');
});
