// Writes docs/configuration.md, docs/metrics.md, docs/openapi.json and the generated part of packages/client from the declarations in the code.
// `--check` fails when they are stale instead.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { createRoutes } from '../packages/api/src/app.ts';
import { apiSettings } from '../packages/api/src/config.ts';
import { createMetrics as createApiMetrics } from '../packages/api/src/metrics.ts';
import { buildDocument } from '../packages/api/src/openapi/document.ts';
import { createProcessMetrics } from '../packages/api/src/processes/process-metrics.ts';
import { registerQueueGauges } from '../packages/api/src/services/housekeeping/queue-gauges.ts';
import { version } from '../packages/api/src/version.ts';
import { renderSettingsTables } from '../packages/shared/src/config/settings-doc.ts';
import { createRegistry, registerDatabaseGauge } from '../packages/shared/src/observability/registry.ts';
import { workerSettings } from '../packages/worker/src/config.ts';
import { createMetrics as createWorkerMetrics } from '../packages/worker/src/metrics.ts';
import { renderClient } from './generate-client.mjs';

const idlePool = { totalCount: 0, idleCount: 0, waitingCount: 0 };

function registryOf(register) {
  const registry = createRegistry();
  registry.clear();
  registerDatabaseGauge(registry, idlePool);
  register(registry);
  return registry;
}

const apiRegistry = registryOf((registry) => {
  createApiMetrics(registry);
  createProcessMetrics(registry, () => 0);
  registerQueueGauges(registry, { count: async () => [], onFailure() {}, now: () => 0 });
});
const workerRegistry = registryOf((registry) => {
  createWorkerMetrics(registry, { slotsBusy: () => 0, slotsFree: () => 0, waiting: () => 0, unrecorded: () => 0 });
});

function metricsTable(registry) {
  const rows = registry
    .getMetricsAsArray()
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .map(
      ({ name, type, labelNames, help }) =>
        `| \`${name}\` | ${type} | ${labelNames.filter((label) => label !== 'le').join(', ')} | ${help} |`,
    );
  return ['| metric | kind | labels | meaning |', '|---|---|---|---|', ...rows].join('\n');
}

// Nothing is called: the routes need no database to say what they are.
const openapi = buildDocument(createRoutes({ settings: {} }), version);

const documents = {
  'docs/configuration.md': `# Configuration

Made by \`pnpm docs\` from the declarations in the code; do not edit.

A flag beats the environment, which beats the default. Every flag has a variable and the other way round: \`--max-fast-retries\` and
\`MAX_FAST_RETRIES\`. Durations are written \`15s\`, \`5m\`, \`1h\`, or as a plain number of seconds; sizes \`16KiB\`, \`1MiB\`. An empty variable
counts as unset unless it says otherwise. A value that cannot be used ends the process with exit code 78, and all of them are named at once.
The effective values, secrets masked, are one log line at start.

## API

${renderSettingsTables(apiSettings, { flags: false })}
## Worker

\`worker --concurrent=20\`

${renderSettingsTables(workerSettings, { flags: true })}`,
  'docs/metrics.md': `# Metrics

Made by \`pnpm docs\` from the declarations in the code; do not edit.

Both processes serve Prometheus metrics at \`/metrics\` on their operations port, beside those of every Node process: memory, CPU, and how long the event
loop is kept waiting (\`nodejs_eventloop_lag_p99_seconds\`, \`nodejs_eventloop_lag_max_seconds\`, since the last scrape).

## API

${metricsTable(apiRegistry)}

## Worker

${metricsTable(workerRegistry)}
`,
  'docs/openapi.json': JSON.stringify(openapi),
  ...(await renderClient(JSON.parse(JSON.stringify(openapi)))),
};

const root = fileURLToPath(new URL('..', import.meta.url));
const biome = `${root}node_modules/@biomejs/biome/bin/biome`;

/** As `pnpm format` leaves it: a document that formatting changes would count as stale from then on. */
function format(path, text) {
  return execFileSync(process.execPath, [biome, 'format', `--stdin-file-path=${path}`], { cwd: root, input: text, encoding: 'utf8' });
}

for (const [path, text] of Object.entries(documents)) {
  const formatted = format(path, text);
  if (!process.argv.includes('--check')) {
    writeFileSync(root + path, formatted);
  } else if (readFileSync(root + path, 'utf8') !== formatted) {
    process.stderr.write(`${path} is stale: run pnpm docs.\n`);
    process.exitCode = 1;
  }
}
