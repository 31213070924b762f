import { openEventStream } from '@postrider/testkit/event-stream';
import { type Agent, request } from 'undici';

export interface Target {
  readonly url: string;
  readonly secret: string;
  readonly agent: Agent;
  /** Sent again and again. Without an id, so that each is a new one. */
  readonly event: Readonly<Record<string, unknown>>;
}

/** Hears of what was answered, and says when it is enough. */
export interface Count {
  isOver(): boolean;
  answered(events: number, latencyMs: number): void;
}

/** Requests of one event each. */
export async function sendSingles(target: Target, clients: number, count: Count): Promise<void> {
  const body = Buffer.from(JSON.stringify(target.event));
  await atATime(clients, () => post(target, '/api/v1/event', body, 201), 1, count);
}

/** Requests of many events each. */
export async function sendArrays(target: Target, size: { readonly arrays: number; readonly events: number }, count: Count): Promise<void> {
  const body = Buffer.from(JSON.stringify(Array.from({ length: size.events }, () => target.event)));
  await atATime(size.arrays, () => post(target, '/api/v1/events/batch', body, 200), size.events, count);
}

/** One stream, written as fast as it is taken and read as it is answered. */
export async function sendLines(target: Target, count: Count): Promise<void> {
  const stream = openEventStream(target.url, target.secret);
  const line = `${JSON.stringify(target.event)}\n`;
  const sentAt: number[] = [];
  const write = async (): Promise<void> => {
    while (!count.isOver()) {
      sentAt.push(performance.now());
      await stream.write(line);
    }
    stream.end();
  };
  const read = async (): Promise<void> => {
    let answers = 0;
    for (let result = await stream.next(); result !== null; result = await stream.next()) {
      if (result.status !== 201) {
        throw new Error(`An event of a stream was answered with ${result.status}.`);
      }
      count.answered(1, performance.now() - (sentAt[answers] ?? Number.NaN));
      answers += 1;
    }
  };
  await Promise.all([write(), read()]);
}

async function atATime(clients: number, send: () => Promise<void>, events: number, count: Count): Promise<void> {
  const client = async (): Promise<void> => {
    while (!count.isOver()) {
      const startedAt = performance.now();
      await send();
      count.answered(events, performance.now() - startedAt);
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
}

async function post({ url, secret, agent }: Target, path: string, body: Buffer, status: number): Promise<void> {
  const response = await request(`${url}${path}`, {
    dispatcher: agent,
    method: 'POST',
    headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/json' },
    body,
  });
  await response.body.dump();
  if (response.statusCode !== status) {
    throw new Error(`${path} was answered with ${response.statusCode}.`);
  }
}
