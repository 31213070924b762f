import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { openPool } from '@postrider/shared/database/pool';
import { type EventToIngest, type IngestedEvents, ingestEvents } from '@postrider/shared/database/queries/ingest-events';
import { newId } from '@postrider/shared/domain/ids';
import { concurrentGroupsMax, mayWriteGroup } from '@postrider/shared/domain/ingest-groups';
import { ingestGroupEventsMax } from '@postrider/shared/domain/limits';
import { createLogger } from '@postrider/shared/observability/logger';
import { urlOf } from '@postrider/shared/observability/server-url';

/**
 * The least that an ingest over HTTP can be: `node:http`, `JSON.parse` and Postrider's own statement; no tokens, no validation, no limits.
 * Arguments: the database, and `group` for one commit for all that waits, or `single` for one for each event.
 */
const [connectionString = '', mode] = process.argv.slice(2);
/** As Postrider's. A commit for each event needs more connections to be fast. */
const connectionsMax = mode === 'group' ? concurrentGroupsMax : 20;
const groupEventsMax = mode === 'group' ? ingestGroupEventsMax : 1;

const logger = createLogger({ level: 'warn', process: 'bare', version: '0' });
const db = openPool(
  {
    connectionString,
    applicationName: 'bench',
    connectionsMax,
    idleTimeoutMs: 30_000,
    connectionTimeoutMs: 5000,
    statementTimeoutMs: 30_000,
    preparedStatements: true,
  },
  logger,
);

interface Waiting {
  readonly event: EventToIngest;
  readonly response: ServerResponse;
}

let waiting: Waiting[] = [];
let inFlight = 0;
let eventsInFlight = 0;
let scheduled = false;

/** Groups as Postrider makes them. */
function mayWrite(): boolean {
  return mode === 'group'
    ? mayWriteGroup({ groupsInFlight: inFlight, eventsInFlight, eventsWaiting: waiting.length, bytesWaiting: 0 })
    : inFlight < connectionsMax;
}

function flush(): void {
  scheduled = false;
  while (waiting.length > 0 && mayWrite()) {
    const group = waiting.slice(0, groupEventsMax);
    waiting = waiting.slice(groupEventsMax);
    inFlight += 1;
    eventsInFlight += group.length;
    // Ends the process when it fails: then there is nothing to measure.
    void write(group).then((ingested) => {
      inFlight -= 1;
      eventsInFlight -= group.length;
      flush();
      // As Postrider does it: first the next group goes to the database.
      setImmediate(() => answer(group, ingested));
    });
  }
}

function write(group: readonly Waiting[]): Promise<IngestedEvents> {
  return ingestEvents(
    db,
    group.map(({ event }) => event),
  );
}

function answer(group: readonly Waiting[], { receivedAt, withoutApplication, withoutEventType, withTakenId }: IngestedEvents): void {
  const refused = new Set([...withoutApplication, ...withoutEventType, ...withTakenId]);
  group.forEach(({ event, response }, position) => {
    const body = JSON.stringify({ application_id: event.applicationId, event_id: event.eventId, received_at: receivedAt });
    response.writeHead(refused.has(position) ? 500 : 201, { 'content-type': 'application/json' }).end(body);
  });
}

interface PostedEvent {
  readonly application_id: string;
  readonly event_type: string;
  readonly payload: string;
  readonly payload_content_type: string;
  readonly occurred_at: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** The load is ours: its form is known. */
function isEvent(value: unknown): value is PostedEvent {
  return typeof value === 'object' && value !== null;
}

function take(text: string, response: ServerResponse): void {
  const body: unknown = JSON.parse(text);
  if (!isEvent(body)) {
    throw new Error('The load sends something else than events.');
  }
  const event: EventToIngest = {
    applicationId: body.application_id,
    eventId: newId(),
    eventTypeName: body.event_type,
    payload: Buffer.from(body.payload),
    payloadContentType: body.payload_content_type,
    occurredAt: new Date(body.occurred_at),
    labels: body.labels,
    metadata: {},
    ip: null,
    applicationSecretId: null,
    contentHash: createHash('sha256').update(text).digest(),
  };
  waiting.push({ event, response });
  if (!scheduled) {
    scheduled = true;
    setImmediate(flush);
  }
}

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => take(Buffer.concat(chunks).toString(), response));
}).listen(0, '127.0.0.1');
await once(server, 'listening');
process.stdout.write(`${JSON.stringify({ event: 'bare.started', url: urlOf(server) })}\n`);
