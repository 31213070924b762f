import type { ApiClient } from '@postrider/testkit/api-client';
import { Hook0Client } from 'hook0-client';
import type { GithubPayload } from './github-payloads.ts';

/** A subscription of the demo. */
export interface DemoSubscription {
  readonly description: string;
  readonly path: string;
  readonly labels: Readonly<Record<string, string>>;
  /** How often its receiver fails before it takes an event. */
  readonly failures: number;
}

export const demoSubscriptions: readonly DemoSubscription[] = [
  { description: 'everything', path: '/webhooks/everything', labels: { source: 'github' }, failures: 0 },
  { description: 'pull requests', path: '/webhooks/pull-requests', labels: { source: 'github', family: 'pull_request' }, failures: 0 },
  { description: 'issues, fails twice', path: '/webhooks/fails-twice', labels: { family: 'issue' }, failures: 2 },
];

/** Which subscriptions an event goes to: all of their labels are on it with the same value. */
export function subscriptionsOf(payload: GithubPayload): DemoSubscription[] {
  return demoSubscriptions.filter(({ labels }) => Object.entries(labels).every(([key, value]) => payload.labels[key] === value));
}

export interface Installation {
  readonly organizationId: string;
  readonly applicationId: string;
  readonly applicationSecret: string;
  /** By path: what its subscription signs with. */
  readonly secrets: ReadonlyMap<string, { readonly secret: string; readonly standardSecret: string }>;
}

const applicationName = 'GitHub demo';

/** Makes the demo's organization, application, event types and subscriptions; those of an earlier start are used again. */
export async function setUpInstallation(options: {
  readonly master: ApiClient;
  /** With `/api/v1`. */
  readonly apiUrl: string;
  readonly organizationId: string;
  readonly receiverUrl: string;
  readonly eventTypes: readonly string[];
}): Promise<Installation> {
  const { master, organizationId } = options;
  await master.expect('POST', '/api/v1/organizations', { name: 'Demo', organization_id: organizationId });
  const applications = await master.list(`/api/v1/applications?organization_id=${organizationId}`);
  const application =
    applications.find(({ name }) => name === applicationName) ??
    (await master.expect('POST', '/api/v1/applications', { organization_id: organizationId, name: applicationName }));
  const applicationId = String(application['application_id']);
  const [secret] = await master.list(`/api/v1/application_secrets?application_id=${applicationId}`);
  const applicationSecret = String(secret?.['token']);
  await new Hook0Client(options.apiUrl, applicationId, applicationSecret).upsertEventTypes([...options.eventTypes]);
  const client = master.withToken(applicationSecret);
  await removeSubscriptions(client, applicationId);
  const secrets = new Map<string, { secret: string; standardSecret: string }>();
  for (const { description, path, labels } of demoSubscriptions) {
    const subscription = await client.expect('POST', '/api/v1/subscriptions', {
      application_id: applicationId,
      is_enabled: true,
      description,
      event_types: options.eventTypes,
      labels,
      target: { type: 'http', method: 'POST', url: `${options.receiverUrl}${path}`, headers: { 'x-demo': description } },
    });
    secrets.set(path, { secret: String(subscription['secret']), standardSecret: String(subscription['standard_webhooks_secret']) });
  }
  return { organizationId, applicationId, applicationSecret, secrets };
}

/** The receiver may have another port than at the last start. */
async function removeSubscriptions(client: ApiClient, applicationId: string): Promise<void> {
  for (const subscription of await client.list(`/api/v1/subscriptions?application_id=${applicationId}`)) {
    await client.expect('DELETE', `/api/v1/subscriptions/${String(subscription['subscription_id'])}?application_id=${applicationId}`);
  }
}
