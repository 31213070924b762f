import type { ApiClient, ApplicationSetup } from '@postrider/testkit/api-client';

export interface MassChangeTarget {
  readonly master: ApiClient;
  readonly setup: ApplicationSetup;
  readonly subscriptionId: string;
  readonly url: string;
}

export interface MassChange {
  readonly name: string;
  readonly make: (target: MassChangeTarget) => Promise<unknown>;
  /** Whether the attempts end by it, rather than wait until the subscription is resumed. */
  readonly endsAttempts: boolean;
}

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
  },
  {
    name: 'delete the subscription',
    make: ({ setup, subscriptionId }) =>
      setup.client.expect('DELETE', `/api/v1/subscriptions/${subscriptionId}?application_id=${setup.applicationId}`),
    endsAttempts: true,
  },
  {
    name: 'delete the application',
    make: ({ master, setup }) => master.expect('DELETE', `/api/v1/applications/${setup.applicationId}`),
    endsAttempts: true,
  },
  {
    name: 'pause the subscription',
    make: ({ setup, subscriptionId }) => setup.client.expect('POST', `/api/v1/subscriptions/${subscriptionId}/pause`),
    endsAttempts: false,
  },
];

/** Lets a paused subscription go on. */
export function resume({ setup, subscriptionId }: Pick<MassChangeTarget, 'setup' | 'subscriptionId'>): Promise<unknown> {
  return setup.client.expect('POST', `/api/v1/subscriptions/${subscriptionId}/resume`);
}
