import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { nativeDirectory } from './embedded-postgres.ts';
import { reachableBinaries, reachableDataDir } from './unprivileged-user.ts';

const root = process.getuid?.() === 0;
/** Somebody without privileges; null where we are one ourselves. */
const nobody = root ? { uid: 65_534, gid: 65_534 } : null;

let directory: string;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'postrider-reach-'));
  chmodSync(directory, 0o755);
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

test('runs a copy of the binaries where the account of the server cannot reach them', async () => {
  const native = await nativeDirectory();
  const closed = join(directory, 'closed');
  mkdirSync(closed, { mode: 0o700 });
  cpSync(native, join(closed, 'native'), { recursive: true, verbatimSymlinks: true });
  // As a package manager under a strict umask leaves them.
  chmodSync(join(closed, 'native', 'bin', 'initdb'), 0o700);

  const reached = reachableBinaries(join(closed, 'native'), nobody);
  expect(reachableBinaries(join(closed, 'native'), nobody)).toBe(reached);

  for (const program of ['postgres', 'initdb']) {
    const { stdout } = spawnSync(join(reached, 'bin', program), ['--version'], { ...nobody, cwd: '/', encoding: 'utf8' });
    expect(stdout).toContain('(PostgreSQL) 18');
  }
  expect(reached.startsWith(closed)).toBe(!root);
  const { uid, mode } = statSync(dirname(reached));
  expect(uid).toBe(process.getuid?.());
  expect(mode & 0o022).toBe(0);
  rmSync(dirname(reached), { recursive: true });
});

test('uses binaries and data where they are when they can be reached', async () => {
  const native = await nativeDirectory();
  expect(reachableBinaries(native, null)).toBe(native);
  expect(reachableDataDir(join(directory, 'data'), nobody)).toBe(join(directory, 'data'));
});
