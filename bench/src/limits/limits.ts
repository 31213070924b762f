import { ApiClient, type ApplicationSetup, eventOf, setUpApplication } from '@postrider/testkit/api-client';
import { type ApiProcess, startApi } from '@postrider/testkit/postrider-processes';
import { Agent, request } from 'undici';
import { startBenchServer } from '../bench-database.ts';
import { processCpuSeconds } from '../cpu-time.ts';
import { renderResultTable, type ResultColumn, type ResultTable, type Round, rowOf } from '../result-table.ts';
import { environmentOf, saveResults } from '../results.ts';

export interface LimitsBenchOptions {
  /** How long each kind is measured in a round. */
  readonly seconds: number;
  readonly rounds: number;
  /** Requests at a time. */
  readonly clients: number;
  readonly print: (line: string) => void;
}

/** Limits that let everything through, and that must be asked all the same. */
const wide = { BURST_SIZE: '1000000', REPLENISH_PERIOD_IN_MS: '1' };
/** Of tokens: chunks of twenty for each of them, so that shared limits lease as often as they would in earnest. */
const tokens = 8;
const ofToken = { BURST_SIZE: '600', REPLENISH_PERIOD_IN_MS: '1' };

const limited = {
  DISABLE_API_RATE_LIMITING: 'false',
  ...withPrefix('API_RATE_LIMITING_GLOBAL_', wide),
  ...withPrefix('API_RATE_LIMITING_IP_', wide),
  ...withPrefix('API_RATE_LIMITING_TOKEN_', ofToken),
};

/** What is compared: the same API with one more thing switched on each. */
const kinds: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'no limits': {},
  'rate limits': limited,
  'shared rate limits': { ...limited, API_RATE_LIMITING_SHARED: 'true' },
  quotas: { ENABLE_QUOTA_ENFORCEMENT: 'true', QUOTA_GLOBAL_EVENTS_PER_DAY_LIMIT: '100000000' },
};

const columns: readonly ResultColumn[] = [
  { name: 'events/s', digits: 0 },
  { name: 'of no limits', digits: 3, isPlotted: true },
  { name: 'API CPU', digits: 0 },
];

interface Measured {
  readonly perSecond: number;
  readonly cpuMs: number;
}

/** What limits cost: events in over HTTP, with and without them, in turns. */
export async function benchLimits(options: LimitsBenchOptions): Promise<void> {
  const server = await startBenchServer();
  const database = await server.createDatabase();
  const apis: [string, ApiProcess][] = [];
  try {
    for (const [kind, env] of Object.entries(kinds)) {
      apis.push([kind, await startApi({ databaseUrl: database.runtimeUrl, env: { AUTO_DB_MIGRATION: 'false', ...env } })]);
    }
    const master = new ApiClient(apis[0]?.[1].url ?? '');
    const setup = await setUpApplication(master);
    const secrets = await createSecrets(master, setup);
    const measured = new Map<string, Measured[]>();
    for (let round = 0; round <= options.rounds; round += 1) {
      for (const [kind, api] of apis) {
        const result = await measure(api, setup, secrets, options);
        // The first round warms up.
        if (round > 0) {
          measured.set(kind, [...(measured.get(kind) ?? []), result]);
        }
      }
    }
    const unlimited = measured.get('no limits') ?? [];
    const table: ResultTable = {
      title: 'What limits cost ingest',
      note: `${options.clients} clients for ${options.seconds} s a round, in turns. CPU in microseconds per event.`,
      columns,
      rows: [...measured].map(([kind, results]) =>
        rowOf(
          columns,
          kind,
          results.map((result, round) => valuesOf(result, unlimited[round])),
        ),
      ),
    };
    options.print(renderResultTable(table));
    saveResults('limits', environmentOf(server.version), { tables: [table] });
  } finally {
    for (const [, api] of apis) {
      api.kill('SIGTERM');
      await api.waitForExit();
    }
    await database.drop();
    await server.stop();
  }
}

/** Compared by round: what else happens on the machine then happens to all of them. */
function valuesOf({ perSecond, cpuMs }: Measured, unlimited: Measured | undefined): Round {
  return { 'events/s': perSecond, 'of no limits': perSecond / (unlimited?.perSecond ?? Number.NaN), 'API CPU': cpuMs * 1000 };
}

function withPrefix(prefix: string, values: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [`${prefix}${name}`, value]));
}

async function createSecrets(master: ApiClient, { applicationId }: ApplicationSetup): Promise<string[]> {
  const made = Array.from({ length: tokens }, () =>
    master.expect('POST', '/api/v1/application_secrets', { application_id: applicationId }),
  );
  return (await Promise.all(made)).map((secret) => String(secret['token']));
}

async function measure(
  api: ApiProcess,
  setup: ApplicationSetup,
  secrets: readonly string[],
  { clients, seconds }: LimitsBenchOptions,
): Promise<Measured> {
  const agent = new Agent({ allowH2: false, connections: clients, pipelining: 1 });
  const body = JSON.stringify(eventOf(setup, { payload: '{"id":1}' }));
  const cpuBefore = processCpuSeconds(api.pid);
  const startedAt = performance.now();
  let count = 0;
  const send = async (secret: string): Promise<void> => {
    const headers = { authorization: `Bearer ${secret}`, 'content-type': 'application/json' };
    while (performance.now() - startedAt < seconds * 1000) {
      const response = await request(`${api.url}/api/v1/event`, { dispatcher: agent, method: 'POST', headers, body });
      await response.body.dump();
      if (response.statusCode !== 201) {
        throw new Error(`An event was answered with ${response.statusCode}.`);
      }
      count += 1;
    }
  };
  await Promise.all(Array.from({ length: clients }, (_, index) => send(secrets[index % secrets.length] ?? '')));
  const tookSeconds = (performance.now() - startedAt) / 1000;
  await agent.close();
  return { perSecond: count / tookSeconds, cpuMs: ((processCpuSeconds(api.pid) - cpuBefore) * 1000) / count };
}
