import { spawnSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startProcess } from '@postrider/testkit/child-process';
import { startCountingReceiver } from '@postrider/testkit/counting-receiver-process';
import { eventually } from '@postrider/testkit/eventually';
import { freePort } from '@postrider/testkit/free-port';

/** A receiver that costs as little as possible. */
export interface Sink {
  readonly url: string;
  readonly kind: string;
  readonly pid: number;
  stop(): Promise<void>;
}

/** nginx where it is installed: a receiver in Node costs twice as much and becomes what is measured. */
export async function startSink(): Promise<Sink> {
  return spawnSync('nginx', ['-v']).status === 0 ? startNginx() : startNode();
}

async function startNginx(): Promise<Sink> {
  const port = await freePort();
  const directory = mkdtempSync(join(tmpdir(), 'postrider-sink-'));
  const file = join(directory, 'nginx.conf');
  writeFileSync(
    file,
    `daemon off; worker_processes auto; pid ${directory}/pid; error_log ${directory}/error.log; events { worker_connections 4096; }
http { access_log off; keepalive_requests 1000000000; keepalive_timeout 600s; client_body_buffer_size 64k; client_max_body_size 100m;
  server { listen 127.0.0.1:${port} backlog=4096; location / { return 200 "ok"; } } }`,
  );
  const managed = startProcess({ command: 'nginx', args: ['-c', file, '-p', directory] });
  const url = `http://127.0.0.1:${port}`;
  await eventually(async () => (await fetch(url)).ok);
  return { url, kind: 'nginx', pid: managed.pid, stop: () => stopProcess(managed) };
}

async function startNode(): Promise<Sink> {
  const receiver = await startCountingReceiver();
  return { url: receiver.url, kind: 'node', pid: receiver.pid, stop: () => stopProcess(receiver) };
}

/** Of a slow receiver: it costs Node more to answer late than a sender to wait, so one would be what is measured. */
const slowReceiverProcesses = 2;

/** A receiver in Node that answers after a delay. */
export async function startSlowSink(delayMs: number): Promise<Sink> {
  const port = await freePort();
  const main = fileURLToPath(new URL('../dist/delivery/slow-receiver.js', import.meta.url));
  const managed = startProcess({ command: process.execPath, args: [main, String(delayMs), String(slowReceiverProcesses), String(port)] });
  await managed.waitForLog((line) => line['event'] === 'receiver.started');
  const kind = `node, ${slowReceiverProcesses} processes`;
  return { url: `http://127.0.0.1:${port}`, kind, pid: managed.pid, stop: () => stopProcess(managed) };
}

async function stopProcess(managed: ReturnType<typeof startProcess>): Promise<void> {
  managed.kill('SIGTERM');
  await managed.waitForExit();
}
