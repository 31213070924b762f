import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { type Demo, startDemo } from './demo.ts';

const repository = fileURLToPath(new URL('../../..', import.meta.url));
const deliveryTimeoutMs = 60_000;
/** A terminal's Ctrl-C and npm's forwarding of it arrive as two signals of one wish. */
const sameSignalMs = 1000;

const program = new Command('npm start --')
  .description('Brings Postrider up on this machine with an embedded PostgreSQL, delivers real webhooks and stays up until Ctrl-C.')
  .option('--once', 'exit 0 when all webhooks are delivered, non-zero with the reason otherwise')
  .parse();
const isOnce = program.opts<{ once?: boolean }>().once ?? false;

let lastProgress = '';
let demo: Demo | null = null;
let stopping: Promise<never> | null = null;
let stopAskedAt = 0;
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    if (stopping && performance.now() - stopAskedAt > sameSignalMs) {
      process.exit(1);
    }
    stopAskedAt ||= performance.now();
    print('\nstopping: finishing what is in flight');
    stopping ??= stop(0);
  });
}

try {
  demo = await startDemo({
    directory: join(repository, '.postrider'),
    databaseUrl: process.env['DATABASE_URL'] || null,
    print,
    showProgress,
  });
  await demo.deliverPayloads(deliveryTimeoutMs);
  if (isOnce) {
    await stop(0);
  }
  printInvitation(demo);
} catch (error) {
  if (!stopping) {
    print(`\nfailed: ${error instanceof Error ? error.message : String(error)}`);
    print(`logs: ${join(repository, '.postrider', 'logs')}`);
    await stop(1);
  }
}

async function stop(exitCode: number): Promise<never> {
  await demo?.stop();
  process.exit(exitCode);
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

function showProgress(line: string): void {
  if (process.stdout.isTTY) {
    process.stdout.write(`\r\u001b[K${line}`);
  } else if (line !== lastProgress) {
    print(line);
  }
  lastProgress = line;
}

function printInvitation({ description, opsUrls, logsDirectory }: Demo): void {
  const event = {
    application_id: description.application_id,
    event_type: description.event_type,
    payload: '{"hello":"world"}',
    payload_content_type: 'application/json',
    occurred_at: new Date().toISOString(),
    labels: description.labels,
  };
  print(`
API        ${description.api_url}
metrics    ${opsUrls.map((url) => `${url}/metrics`).join('  ')}
receiver   ${description.receiver_url}
logs       ${logsDirectory}
details    .postrider/demo.json (keys, ids, database)

Send the next event:

curl -X POST ${description.api_url}/event \\
  -H 'Authorization: Bearer ${description.application_secret}' \\
  -H 'Content-Type: application/json' \\
  -d '${JSON.stringify(event)}'

See what became of it:

curl -H 'Authorization: Bearer ${description.application_secret}' \\
  '${description.api_url}/request_attempts?application_id=${description.application_id}'

Ctrl-C stops everything.`);
}
