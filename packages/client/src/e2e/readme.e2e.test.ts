import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setUpApplication, subscribe, type ApplicationSetup, ApiClient } from '@postrider/testkit/api-client';
import { eventually } from '@postrider/testkit/eventually';
import { freePort } from '@postrider/testkit/free-port';
import { type ApiProcess, startApi, startWorker, type WorkerProcess } from '@postrider/testkit/postrider-processes';
import { type Receiver, startReceiver } from '@postrider/testkit/receiver';
import { createTestDatabase, type TestDatabase } from '@postrider/testkit/test-database';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const examples = await readExamples();

let directory: string;
let database: TestDatabase;
let api: ApiProcess;
let worker: WorkerProcess;
let receiver: Receiver;
let setup: ApplicationSetup;

beforeAll(async () => {
  database = await createTestDatabase(inject('superuserUrl'));
  receiver = await startReceiver();
  api = await startApi({ databaseUrl: database.runtimeUrl, env: { AUTO_DB_MIGRATION: 'false' } });
  worker = await startWorker({ databaseUrl: database.runtimeUrl, args: ['--concurrent=4'] });
  setup = await setUpApplication(new ApiClient(api.url));
  directory = await install();
});
afterAll(async () => {
  worker.kill('SIGTERM');
  api.kill('SIGTERM');
  await Promise.all([worker.waitForExit(), api.waitForExit(), receiver.close()]);
  await database.drop();
  await rm(directory, { recursive: true });
});

/** The programs of the README: what goes on from the quick start begins as that does. */
async function readExamples(): Promise<readonly { readonly title: string; readonly source: string }[]> {
  const readme = await readFile(join(root, 'README.md'), 'utf8');
  const sections = [...readme.matchAll(/^## (.+)$|^```ts\n([\s\S]*?)^```$/gm)];
  let title = '';
  const blocks: { readonly title: string; readonly code: string }[] = [];
  for (const [, heading, code] of sections) {
    title = heading ?? title;
    if (code !== undefined) {
      blocks.push({ title, code });
    }
  }
  const [quickStart] = blocks;
  const beginning = quickStart?.code.slice(0, quickStart.code.indexOf('await ')) ?? '';
  return blocks.map(({ title: name, code }) => ({ title: name, source: code === quickStart?.code ? code : `${beginning}\n${code}` }));
}

/** A folder of somebody who installed the package: what is published, and nothing of this workspace but the types of Node. */
async function install(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'postrider-readme-'));
  const installed = join(folder, 'node_modules/@postrider/client');
  await mkdir(installed, { recursive: true });
  for (const file of ['package.json', 'dist']) {
    await cp(join(root, file), join(installed, file), { recursive: true });
  }
  await mkdir(join(folder, 'node_modules/@types'));
  await symlink(await realpath(join(root, 'node_modules/@types/node')), join(folder, 'node_modules/@types/node'));
  await writeFile(join(folder, 'package.json'), JSON.stringify({ type: 'module' }));
  const compilerOptions = {
    target: 'es2022',
    module: 'nodenext',
    strict: true,
    types: ['node'],
    outDir: 'out',
    rootDir: '.',
    // The declarations of the package are checked, too: strangers may not skip them.
    skipLibCheck: false,
    lib: ['es2023'],
  };
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['*.ts'] }));
  await Promise.all(examples.map(({ source }, index) => writeFile(join(folder, `example-${index}.ts`), source)));
  return folder;
}

function start(index: number, env: Readonly<Record<string, string>>) {
  const child = spawn(process.execPath, [join(directory, `out/example-${index}.js`)], {
    env: {
      POSTRIDER_URL: api.url,
      POSTRIDER_TOKEN: setup.secret,
      POSTRIDER_APPLICATION: setup.applicationId,
      RECEIVER_URL: `${receiver.url}/readme`,
      ...env,
    },
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (chunk) => (output += chunk));
  child.stderr.setEncoding('utf8').on('data', (chunk) => (output += chunk));
  return { child, output: () => output };
}

test('every example compiles', { timeout: 300_000 }, () => {
  expect(examples.length).toBeGreaterThan(7);
  const tsc = fileURLToPath(new URL('../../node_modules/typescript/bin/tsc', import.meta.url));
  const { status, stdout } = spawnSync(process.execPath, [tsc, '-p', directory], { encoding: 'utf8' });
  expect({ status, stdout }).toEqual({ status: 0, stdout: '' });
});

const toEnd = examples.map(({ title }, index) => [index, title] as const).filter(([, title]) => title !== 'Receiving webhooks');

test.each(toEnd)('example %i runs: %s', async (index) => {
  const { child, output } = start(index, {});
  await once(child, 'close');
  expect({ code: child.exitCode, output: output() }).toMatchObject({ code: 0 });
  expect(output()).not.toMatch(/was refused|PostriderError/);
});

test('the receiver of the README believes the worker and nobody else', async () => {
  const index = examples.findIndex(({ title }) => title === 'Receiving webhooks');
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const { secret } = await subscribe(setup, url, { labels: {} });
  const { child, output } = start(index, { PORT: String(port), WEBHOOK_SECRET: secret });
  try {
    const forged = await eventually(() => fetch(url, { method: 'POST', body: '{}' }));
    expect(forged.status).toBe(400);
    const { event_id } = await setup.client.expect('POST', '/api/v1/event', {
      application_id: setup.applicationId,
      event_type: setup.eventType,
      payload: '{"from":"the worker"}',
      payload_content_type: 'application/json',
      occurred_at: '2026-01-01T00:00:00Z',
      labels: {},
    });
    await eventually(() => output().includes(`Event ${String(event_id)} of type ${setup.eventType}: {"from":"the worker"}`));
    expect(output()).toContain('Refused: signature_missing');
  } finally {
    child.kill();
    await once(child, 'close');
  }
});
