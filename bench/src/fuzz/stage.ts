import { ApiClient, eventOf, setUpApplication, subscribe } from '@postrider/testkit/api-client';
import { eventually } from '@postrider/testkit/eventually';
import { startWorker, testMasterKey } from '@postrider/testkit/postrider-processes';
import { startReceiver } from '@postrider/testkit/receiver';
import { KnownValues } from './known-values.ts';
import type { Who } from './requests.ts';

/** What requests find when they come: one of everything, and tokens of every kind. */
export interface Stage {
  readonly tokens: Readonly<Record<Who, string | null>>;
  readonly known: KnownValues;
}

/** Sets the stage through the API. A worker delivers one event to a receiver here and is gone before the first request comes. */
export async function setStage(url: string, databaseUrl: string): Promise<Stage> {
  const master = new ApiClient(url);
  const setup = await setUpApplication(master);
  const { organizationId, applicationId } = setup;
  const serviceToken = async (name: string, role: string): Promise<string> =>
    String((await master.expect('POST', '/api/v1/service_token', { organization_id: organizationId, name, role }))['biscuit']);
  const tokens = {
    master: testMasterKey,
    application: setup.secret,
    editor: await serviceToken('editor', 'editor'),
    viewer: await serviceToken('viewer', 'viewer'),
    nobody: null,
  };
  const ownTokens = await master.list(`/api/v1/service_token?organization_id=${organizationId}`);
  const known = new KnownValues([setup.secret, ...ownTokens.map((token) => String(token['token_id']))]);
  const add = async (kind: string, path: string, member: string, body: unknown): Promise<void> =>
    known.add(kind, String((await master.expect('POST', path, body))[member]));

  known.add('organization_id', organizationId);
  known.add('application_id', applicationId);
  known.add('event_type', setup.eventType);
  await add('application_secret_token', '/api/v1/application_secrets', 'token', { application_id: applicationId, name: 'other' });
  await add('service_token_id', '/api/v1/service_token', 'token_id', { organization_id: organizationId, name: 'other' });
  await add('worker_id', '/api/v1/workers', 'worker_id', { name: 'inside', public: false });
  await deliverOne(setup, databaseUrl, known);
  return { tokens, known };
}

async function deliverOne(setup: Awaited<ReturnType<typeof setUpApplication>>, databaseUrl: string, known: KnownValues): Promise<void> {
  const receiver = await startReceiver();
  const worker = await startWorker({ databaseUrl });
  const { subscriptionId } = await subscribe(setup, `${receiver.url}/`);
  const { event_id: eventId } = await setup.client.expect('POST', '/api/v1/event', eventOf(setup));
  const attempt = await eventually(async () => {
    const [last] = await setup.client.list(`/api/v1/request_attempts?application_id=${setup.applicationId}`);
    return last?.['response_id'] === null ? undefined : last;
  });
  worker.kill('SIGTERM');
  await Promise.all([worker.waitForExit(), receiver.close()]);
  known.add('subscription_id', subscriptionId);
  known.add('event_id', String(eventId));
  known.add('request_attempt_id', String(attempt['request_attempt_id']));
  known.add('response_id', String(attempt['response_id']));
}
