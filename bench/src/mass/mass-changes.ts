import { type ApiClient, type ApplicationSetup, setUpApplication, subscribe } from '@postrider/testkit/api-client';

export interface MassChangeTarget {
  readonly master: ApiClient;
  readonly setup: ApplicationSetup;
  readonly subscriptionId: string;
  readonly url: string;
}

export interface MassChange {
  readonly name: string;
  readonly make: (target: MassChangeTarget) => Promise<unknown>;
  /** Whether the attempts end by it, rather than wait. */
  readonly endsAttempts: boolean;
  /** Whether the API can do it. */
  readonly exists: (master: ApiClient, url: string) => Promise<boolean>;
}

const always = () => Promise.resolve(true);

export const massChanges: readonly MassChange[] = [
  {
    name: 'disable the subscription',
    make: ({ setup, subscriptionId, url }) =>
      setup.client.expect('PUT', `/api/v1/subscriptions/${subscriptionId}`, {
        application_id: setup.applicationId,
        is_enabled: false,
        event_types: [setup.eventType],
        labels: { tenant: 'acme' },
        target: { type: 'http', method: 'POST', url, headers: {} },
      }),
    endsAttempts: true,
    exists: always,
  },
  {
    name: 'delete the subscription',
    make: ({ setup, subscriptionId }) =>
      setup.client.expect('DELETE', `/api/v1/subscriptions/${subscriptionId}?application_id=${setup.applicationId}`),
    endsAttempts: true,
    exists: always,
  },
  {
    name: 'delete the application',
    make: ({ master, setup }) => master.expect('DELETE', `/api/v1/applications/${setup.applicationId}`),
    endsAttempts: true,
    exists: always,
  },
  {
    name: 'pause the subscription',
    make: ({ setup, subscriptionId }) => pause(setup, subscriptionId),
    endsAttempts: false,
    async exists(master, url) {
      const setup = await setUpApplication(master);
      const { subscriptionId } = await subscribe(setup, url);
      return (await pause(setup, subscriptionId)).status !== 404;
    },
  },
];

function pause({ client, applicationId }: ApplicationSetup, subscriptionId: string) {
  return client.call('POST', `/api/v1/subscriptions/${subscriptionId}/pause`, { application_id: applicationId });
}
