import { ApiClient, eventOf, setUpApplication, subscribe } from '@postrider/testkit/api-client';
import { slotsForOneSubscription, startApi, startWorker } from '@postrider/testkit/postrider-processes';
import { Agent, request } from 'undici';
import type { BenchServer } from '../bench-database.ts';
import { stopProcess } from '../clean-up.ts';
import { latencyPayload, latencySlots, type LatencyContender, type RunningContender } from './contender.ts';

/** One API and one worker, events over HTTP. */
export const postriderContender: LatencyContender = {
  name: 'Postrider',
  async start(server: BenchServer, receiverUrl: string): Promise<RunningContender> {
    const database = await server.createDatabase();
    const api = await startApi({ databaseUrl: database.runtimeUrl, env: { AUTO_DB_MIGRATION: 'false' } });
    const worker = await startWorker({ databaseUrl: database.runtimeUrl, args: slotsForOneSubscription(latencySlots) });
    const setup = await setUpApplication(new ApiClient(api.url));
    await subscribe(setup, receiverUrl);
    const agent = new Agent({ allowH2: false, connections: latencySlots, pipelining: 1 });
    return {
      async send(id) {
        const response = await request(`${api.url}/api/v1/event`, {
          dispatcher: agent,
          method: 'POST',
          headers: { authorization: `Bearer ${setup.secret}`, 'content-type': 'application/json' },
          body: JSON.stringify(eventOf(setup, { event_id: id, payload: latencyPayload })),
        });
        const text = await response.body.text();
        if (response.statusCode !== 201) {
          throw new Error(`An event was answered with ${response.statusCode}: ${text}`);
        }
      },
      async committedAt() {
        const { rows } = await database.admin.query<{ id: string; at: number }>({
          text: 'select event_id as id, extract(epoch from pg_xact_commit_timestamp(xmin))::double precision * 1000 as at from event.event',
        });
        return new Map(rows.map(({ id, at }) => [id, at]));
      },
      async stop() {
        await agent.close();
        await stopProcess(worker);
        await stopProcess(api);
        await database.drop();
      },
    };
  },
};
