import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, cpSync, existsSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** An account of this machine without privileges. */
export interface OsUser {
  readonly uid: number;
  readonly gid: number;
}

/** Where root keeps what an unprivileged server must reach: below /var/tmp, which survives restarts of the machine. */
const reachableRoot = '/var/tmp/postrider';

/** The account that PostgreSQL runs under when we are root, which it refuses: `postgres` where it exists, else `nobody`. Null otherwise. */
export function serverUser(): OsUser | null {
  if (process.getuid?.() !== 0) {
    return null;
  }
  const accounts = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'));
  for (const name of ['postgres', 'nobody']) {
    const account = accounts.find(([accountName]) => accountName === name);
    if (account) {
      return { uid: Number(account[2]), gid: Number(account[3]) };
    }
  }
  throw new Error('PostgreSQL refuses to run as root, and neither a postgres nor a nobody account is there to run it.');
}

/** The directory of the binaries, or a copy of it where the account cannot reach the original (a checkout below /root). */
export function reachableBinaries(native: string, user: OsUser | null): string {
  if (!user || canRun(join(native, 'bin', 'postgres'), user)) {
    return native;
  }
  const root = ensureReachableRoot();
  // By their version, too: an upgrade puts other binaries into the same place.
  const version = spawnSync(join(native, 'bin', 'postgres'), ['--version'], { cwd: '/', encoding: 'utf8' }).stdout;
  const copy = join(root, `binaries-${shortHash(`${native} ${version}`)}`);
  if (!existsSync(copy)) {
    const partial = mkdtempSync(join(root, 'partial-'));
    cpSync(native, join(partial, 'native'), { recursive: true, verbatimSymlinks: true });
    openToAll(partial);
    moveUnlessThere(partial, copy);
  }
  return join(copy, 'native');
}

/** Whatever the umask was that they were installed with. */
function openToAll(directory: string): void {
  chmodSync(directory, 0o755);
  for (const entry of readdirSync(directory, { recursive: true, withFileTypes: true })) {
    if (!entry.isSymbolicLink()) {
      const path = join(entry.parentPath, entry.name);
      chmodSync(path, entry.isDirectory() || (lstatSync(path).mode & 0o100) !== 0 ? 0o755 : 0o644);
    }
  }
}

/** Another process may have made the same copy meanwhile. */
function moveUnlessThere(partial: string, copy: string): void {
  try {
    renameSync(partial, copy);
  } catch (error) {
    rmSync(partial, { recursive: true, force: true });
    if (!existsSync(copy)) {
      throw error;
    }
  }
}

/** The data directory itself, or one that stands for it where the account cannot reach it. */
export function reachableDataDir(dataDir: string, user: OsUser | null): string {
  if (!user || canEnter(dirname(dataDir), user)) {
    return dataDir;
  }
  return join(ensureReachableRoot(), `data-${shortHash(dataDir)}`);
}

/** Made by us or not used at all: in a directory that everybody may write to, somebody else could have put it there. */
function ensureReachableRoot(): string {
  if (!existsSync(reachableRoot)) {
    mkdirSync(reachableRoot);
    // Not by the mode of its making, from which a umask takes away.
    chmodSync(reachableRoot, 0o755);
  }
  const stats = lstatSync(reachableRoot);
  if (!stats.isDirectory() || stats.uid !== 0 || (stats.mode & 0o022) !== 0) {
    throw new Error(`${reachableRoot} is not a directory of root's own: remove it.`);
  }
  return reachableRoot;
}

function canRun(binary: string, user: OsUser): boolean {
  return spawnSync(binary, ['--version'], { ...user, cwd: '/', stdio: 'ignore' }).status === 0;
}

function canEnter(directory: string, user: OsUser): boolean {
  mkdirSync(directory, { recursive: true });
  return spawnSync('/bin/sh', ['-c', 'cd "$1"', 'sh', directory], { ...user, cwd: '/', stdio: 'ignore' }).status === 0;
}

function shortHash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}
