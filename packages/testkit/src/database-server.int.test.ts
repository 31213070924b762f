import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startDatabaseServer } from './database-server.ts';

let directory: string;
let engine: Server | undefined;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'postrider-engine-'));
});
afterEach(() => {
  engine?.close();
  rmSync(directory, { recursive: true, force: true });
});

/** A socket where a Docker engine is looked for. */
async function givenEngine(behave: (socket: Socket) => void): Promise<{ DOCKER_HOST: string }> {
  const path = join(directory, 'docker.sock');
  engine = createServer((socket) => {
    socket.on('error', () => {});
    behave(socket);
  }).listen(path);
  await once(engine, 'listening');
  return { DOCKER_HOST: `unix://${path}` };
}

test('a server that is given beats everything', async () => {
  const url = 'postgresql://somebody@db.example.com/postgres';
  const server = await startDatabaseServer({ TEST_DATABASE_URL: url, DOCKER_HOST: 'unix:///nowhere.sock' });
  expect(server).toMatchObject({ kind: 'given', superuserUrl: url });
  await server.stop();
});

test.each<[string, (socket: Socket) => void]>([
  ['closes the connection', (socket) => socket.end()],
  ['says nothing', () => {}],
])('an engine that %s is none: the server is embedded', async (_how, behave) => {
  const server = await startDatabaseServer(await givenEngine(behave));
  expect(server.kind).toBe('embedded');
  await server.stop();
});

test('where there is no engine the server is embedded', async () => {
  const server = await startDatabaseServer({ DOCKER_HOST: 'unix:///nowhere.sock' });
  expect(server.kind).toBe('embedded');
  await server.stop();
});
