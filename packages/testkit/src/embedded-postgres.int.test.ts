import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client } from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type EmbeddedPostgres, type EmbeddedPostgresOptions, startEmbeddedPostgres } from './embedded-postgres.ts';
import { eventually } from './eventually.ts';
import { provisionDatabase } from './provision-database.ts';
import { reachableDataDir, serverUser } from './unprivileged-user.ts';

// Nothing here may survive a crash of the machine, so that no test waits for the disk.
const fast = { fsync: 'off', shared_buffers: '16MB' };

let directory: string;
/** Whatever a test started, to end it however the test ended. */
const started = new Set<EmbeddedPostgres>();

beforeAll(() => {
  // With a space, which must not break a command line.
  directory = mkdtempSync(join(tmpdir(), 'postrider embedded-'));
  chmodSync(directory, 0o755);
});
afterAll(async () => {
  for (const server of started) {
    await server.stop('immediate');
    rmSync(server.dataDir, { recursive: true, force: true });
  }
  rmSync(directory, { recursive: true, force: true });
});

async function start(name: string, changes: Partial<EmbeddedPostgresOptions> = {}): Promise<EmbeddedPostgres> {
  const server = await startEmbeddedPostgres({
    dataDir: join(directory, name),
    logFile: join(directory, `${name}.log`),
    superuserPassword: "pass'word @/:",
    settings: fast,
    ...changes,
  });
  started.add(server);
  return server;
}

async function query(url: string, text: string): Promise<Record<string, unknown>[]> {
  const client = new Client({ connectionString: url });
  client.on('error', () => {});
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(text)).rows;
  } finally {
    await client.end();
  }
}

describe('a server on the data of the last one', () => {
  let server: EmbeddedPostgres;

  beforeAll(async () => {
    server = await start('kept');
    await query(server.superuserUrl, 'create table kept (n integer); insert into kept values (7)');
  });
  beforeEach(async () => {
    await server.stop('immediate');
    server = await start('kept');
  });
  afterEach(async () => {
    const [row] = await query(server.superuserUrl, 'select n from kept');
    if (row?.['n'] !== 7) {
      throw new Error('The data were not kept.');
    }
  });

  test('speaks only to this machine, asks for a password and writes UTF-8', async () => {
    const rows = await query(
      server.superuserUrl,
      `select current_setting('listen_addresses') as addresses, current_setting('unix_socket_directories') as sockets,
              current_setting('server_encoding') as encoding, current_setting('lc_messages') as locale,
              current_setting('server_version_num')::integer >= 180000 as recent`,
    );
    expect(rows).toEqual([{ addresses: '127.0.0.1', sockets: '', encoding: 'UTF8', locale: 'C', recent: true }]);

    const stranger = new URL(server.superuserUrl);
    stranger.password = 'guess';
    await expect(query(stranger.href, 'select 1')).rejects.toMatchObject({ code: '28P01' });
  });

  test('waits for the disk unless it is told not to', async () => {
    expect(await query(server.superuserUrl, 'show fsync')).toEqual([{ fsync: 'off' }]);
    await server.stop();
    server = await start('kept', { settings: {} });
    expect(await query(server.superuserUrl, 'show fsync')).toEqual([{ fsync: 'on' }]);
  });

  test('stops in order, more than once, and starts again on its port', async () => {
    const { port } = server;
    await server.stop();
    await server.stop();
    await expect(query(server.superuserUrl, 'select 1')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    expect(existsSync(join(server.dataDir, 'postmaster.pid'))).toBe(false);

    await server.restart();
    expect(await query(server.superuserUrl, 'show port')).toEqual([{ port: String(port) }]);
  });

  test('breaks off a statement that runs while it stops', async () => {
    const statement = query(server.superuserUrl, 'select pg_sleep(600)').catch((error: unknown) => error);
    await eventually(
      async () => (await query(server.superuserUrl, "select from pg_stat_activity where query like '%sleep(600)'")).length > 0,
    );
    await server.stop();
    expect(await statement).toMatchObject({ code: '57P01' });
    await server.restart();
  });

  test('recovers from kill -9', async () => {
    await query(server.superuserUrl, 'create table late as select 1 as n');
    await server.kill9();
    expect(existsSync(join(server.dataDir, 'postmaster.pid'))).toBe(true);

    await server.restart();
    expect(await query(server.superuserUrl, 'select n from late')).toEqual([{ n: 1 }]);
  });

  test('takes the data over from one that still runs', async () => {
    const left = server;
    server = await start('kept');
    expect(() => process.kill(left.pid(), 0)).toThrow('ESRCH');
    expect(server.pid()).not.toBe(left.pid());
  });

  // In a container process ids start anew, so that the one of a killed server is soon another process's.
  test('is not kept from starting by a process that has the id of one that was killed', async () => {
    await server.kill9();
    const other = spawn('sleep', ['600'], { ...serverUser(), cwd: '/', stdio: 'ignore' });
    await once(other, 'spawn');
    const pidFile = join(server.dataDir, 'postmaster.pid');
    writeFileSync(pidFile, readFileSync(pidFile, 'utf8').replace(/^\d+/, String(other.pid)));
    try {
      server = await start('kept');
      expect([other.exitCode, other.signalCode]).toEqual([null, null]);
    } finally {
      other.kill('SIGKILL');
    }
  });

  test('has a process group of its own, out of reach of Ctrl-C', () => {
    expect(process.kill(-server.pid(), 0)).toBe(true);
  });

  test('takes no settings from the environment', async () => {
    await server.stop();
    Object.assign(process.env, { PGDATA: '/nowhere', PGPORT: '1', LC_ALL: 'xx_XX' });
    try {
      server = await start('kept');
    } finally {
      for (const name of ['PGDATA', 'PGPORT', 'LC_ALL']) {
        delete process.env[name];
      }
    }
    const path = `/proc/${server.pid()}/environ`;
    const environment = existsSync(path) ? readFileSync(path, 'latin1') : '';
    expect(environment).not.toMatch(/PGDATA|PGPORT|xx_XX/);
  });

  test('says at once that its password is another one', async () => {
    await server.stop();
    const failure = start('kept', { superuserPassword: 'another' });
    await expect(failure).rejects.toMatchObject({ cause: { code: '28P01' } });
    server = await start('kept');
  });

  test('makes roles and databases, and finds them made', async () => {
    const options = { superuserUrl: server.superuserUrl, database: 'shop "one"', password: "pass'word" };
    const first = await provisionDatabase(options);
    expect(await provisionDatabase(options)).toEqual(first);

    await query(first.ownerUrl, 'create table owned ()');
    await expect(query(first.runtimeUrl, 'create table foreign_ ()')).rejects.toMatchObject({ code: '42501' });
    const roles = await query(
      first.runtimeUrl,
      `select rolname, rolcanlogin, rolcreaterole, rolsuper or rolbypassrls as mighty from pg_roles where rolname like 'postrider%' order by 1`,
    );
    expect(roles).toEqual([
      { rolname: 'postrider_app', rolcanlogin: true, rolcreaterole: false, mighty: false },
      { rolname: 'postrider_owner', rolcanlogin: true, rolcreaterole: true, mighty: false },
      { rolname: 'postrider_runtime', rolcanlogin: false, rolcreaterole: false, mighty: false },
      { rolname: 'postrider_tenant', rolcanlogin: false, rolcreaterole: false, mighty: false },
    ]);
    expect(await query(first.runtimeUrl, "select pg_has_role('postrider_runtime', 'member') as member")).toEqual([{ member: true }]);
  });
});

test('servers that start at once get ports and data of their own', async () => {
  const servers = await Promise.all([start('one'), start('two')]);
  const [first, second] = servers;
  expect(first?.port).not.toBe(second?.port);
  expect(first?.dataDir).not.toBe(second?.dataDir);

  const taken = first?.port ?? 0;
  await expect(start('refused', { port: taken })).rejects.toThrow(/does not start; see .*refused\.log/);
});

test('data whose initialisation was killed are initialised anew', async () => {
  const dataDir = join(directory, 'killed');
  const parent = dirname(reachableDataDir(dataDir, serverUser()));
  const before = new Set(readdirSync(parent));
  const child = spawn(process.execPath, startArguments(dataDir), { detached: true, stdio: 'ignore' });
  // Far enough that initdb has written what a complete directory is told by.
  await eventually(() => readdirSync(parent).some((name) => !before.has(name) && existsSync(join(parent, name, 'PG_VERSION'))), {
    intervalMs: 1,
  });
  process.kill(-(child.pid ?? 0), 'SIGKILL');
  await once(child, 'exit');

  const server = await start('killed');
  expect(await query(server.superuserUrl, 'select 1 as n')).toEqual([{ n: 1 }]);
});

const root = process.getuid?.() === 0;
/** Somebody without privileges; null where we are one ourselves, so that all other tests are about that. */
const nobody = root ? { uid: 65_534, gid: 65_534 } : null;

test('runs under an account without privileges', async () => {
  const server = await start('one');
  const owner = statSync(server.dataDir).uid;
  expect(owner).not.toBe(0);
  expect(owner).toBe(root ? serverUser()?.uid : process.getuid?.());
});

test('starts for somebody who is not root and has no home', async () => {
  const dataDir = join(directory, 'ordinary', 'data');
  mkdirSync(dirname(dataDir));
  if (nobody) {
    chownSync(dirname(dataDir), nobody.uid, nobody.gid);
  }
  // A checkout below /root is out of the reach of others: there they have no program to start, and root is the only one to ask.
  const account = nobody && canRead(nobody) ? nobody : {};
  const child = spawn(process.execPath, startArguments(dataDir), {
    ...account,
    cwd: '/',
    env: { HOME: '/nonexistent', PATH: '/usr/bin:/bin' },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const [line] = await once(child.stdout, 'data');
  const { url, dataDir: placed, uid }: { url: string; dataDir: string; uid: number } = JSON.parse(String(line));

  expect(await query(url, 'select 1 as n')).toEqual([{ n: 1 }]);
  expect(uid).toBe('uid' in account ? account.uid : process.getuid?.());

  child.stdin.end();
  expect(await once(child, 'exit')).toEqual([0, null]);
  rmSync(placed, { recursive: true });
  await expect(query(url, 'select 1')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
});

function canRead(account: { readonly uid: number; readonly gid: number }): boolean {
  const script = `require('node:fs').accessSync(${JSON.stringify(fileURLToPath(import.meta.url))})`;
  return spawnSync(process.execPath, ['-e', script], { ...account, cwd: '/', stdio: 'ignore' }).status === 0;
}

/** Arguments of Node.js for a program that starts a server, says where, and stops it when its input ends. */
function startArguments(dataDir: string): string[] {
  const module = JSON.stringify(new URL('embedded-postgres.ts', import.meta.url).href);
  const options = JSON.stringify({ dataDir, logFile: `${dataDir}.log`, superuserPassword: 'postgres', settings: fast });
  const script = `
    const { startEmbeddedPostgres } = await import(${module});
    const server = await startEmbeddedPostgres(${options});
    console.log(JSON.stringify({ url: server.superuserUrl, dataDir: server.dataDir, uid: process.getuid() }));
    process.stdin.resume().once('end', () => server.stop());`;
  return ['--conditions=postrider-source', '--input-type=module', '-e', script];
}
