import { fileURLToPath } from 'node:url';
import { startProcess } from '@postrider/testkit/child-process';
import { makeWorkerUtils } from 'graphile-worker';
import { PgBoss } from 'pg-boss';
import { Pool, type PoolClient } from 'pg';
import { stopProcess } from '../clean-up.ts';
import { latencyPayload, type LatencyContender } from './contender.ts';
import { peerQueue } from './peer-queue.ts';

/** What differs between queues: how they are installed, and how a job is made inside a transaction. */
interface Peer {
  readonly name: string;
  readonly sender: string;
  readonly open: (databaseUrl: string) => Promise<OpenPeer>;
}

interface OpenPeer {
  add(client: PoolClient, id: string): Promise<unknown>;
  close(): Promise<unknown>;
}

const graphileWorker: Peer = {
  name: 'graphile-worker',
  sender: 'graphile-sender',
  async open(databaseUrl) {
    const utils = await makeWorkerUtils({ connectionString: databaseUrl });
    await utils.migrate();
    return {
      add: (client, id) =>
        client.query('select graphile_worker.add_job($1, $2::json)', [peerQueue, JSON.stringify({ id, payload: latencyPayload })]),
      close: () => Promise.resolve(utils.release()),
    };
  },
};

const pgBoss: Peer = {
  name: 'pg-boss',
  sender: 'pg-boss-sender',
  async open(databaseUrl) {
    const boss = new PgBoss({ connectionString: databaseUrl, supervise: false, schedule: false });
    boss.on('error', (error) => process.stderr.write(`pg-boss: ${String(error)}\n`));
    await boss.start();
    await boss.createQueue(peerQueue);
    return {
      add: (client, id) =>
        boss.send(peerQueue, { id, payload: latencyPayload }, { db: { executeSql: (text, values) => client.query(text, values) } }),
      close: () => boss.stop(),
    };
  },
};

/** Queues that others deliver with: jobs straight into the database, one worker process that posts them, no signature and no log. */
export const peerContenders: readonly LatencyContender[] = [graphileWorker, pgBoss].map((peer) => contenderOf(peer));

function contenderOf(peer: Peer): LatencyContender {
  return {
    name: peer.name,
    async start(server, receiverUrl) {
      const database = await server.createDatabase();
      const pool = new Pool({ connectionString: database.superuserUrl, max: 5 });
      pool.on('error', (error) => process.stderr.write(`${peer.name}: ${String(error)}\n`));
      await pool.query('create table mark (id uuid primary key)');
      const open = await peer.open(database.superuserUrl);
      const main = fileURLToPath(new URL(`../../dist/latency/${peer.sender}.js`, import.meta.url));
      const sender = startProcess({ command: process.execPath, args: [main, database.superuserUrl, receiverUrl] });
      await sender.waitForLog((line) => line['event'] === 'sender.started');
      return {
        send: (id) => sendMarked(pool, open, id),
        async committedAt() {
          const { rows } = await pool.query<{ id: string; at: number }>(
            'select id, extract(epoch from pg_xact_commit_timestamp(xmin))::double precision * 1000 as at from mark',
          );
          return new Map(rows.map(({ id, at }) => [id, at]));
        },
        async stop() {
          await stopProcess(sender);
          await open.close();
          await pool.end();
          await database.drop();
        },
      };
    },
  };
}

/** The mark is committed with the job and stays, whatever becomes of the job's own row. */
async function sendMarked(pool: Pool, open: OpenPeer, id: string): Promise<void> {
  const client = await pool.connect();
  try {
    await client.query('begin');
    await client.query('insert into mark (id) values ($1)', [id]);
    await open.add(client, id);
    await client.query('commit');
  } finally {
    client.release();
  }
}
