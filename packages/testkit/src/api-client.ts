import { testMasterKey } from './postrider-processes.ts';

/** An answer of the API. */
export interface ApiAnswer {
  readonly status: number;
  readonly headers: Headers;
  /** The JSON body, a list where it is lines of JSON; undefined when there is none. */
  readonly body: unknown;
}

/** Hears of every answer; fails the call by throwing. */
export type AnswerObserver = (method: string, path: string, answer: ApiAnswer) => void;

/** Speaks to an API over HTTP as a client would. */
export class ApiClient {
  readonly #url: string;
  readonly #token: string | null;
  readonly #observe: AnswerObserver;

  constructor(url: string, token: string | null = testMasterKey, observe: AnswerObserver = () => {}) {
    this.#url = url;
    this.#token = token;
    this.#observe = observe;
  }

  /** The same API with another token; null for none. */
  withToken(token: string | null): ApiClient {
    return new ApiClient(this.#url, token, this.#observe);
  }

  async call(method: string, path: string, body?: unknown, headers: Readonly<Record<string, string>> = {}): Promise<ApiAnswer> {
    const response = await fetch(`${this.#url}${path}`, {
      method,
      headers: {
        ...(this.#token === null ? {} : { authorization: `Bearer ${this.#token}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body) }),
    });
    const answer = await readAnswer(response);
    this.#observe(method, path, answer);
    return answer;
  }

  /** Calls, and fails unless the answer has a status of 2xx; returns the members of its body. */
  async expect(method: string, path: string, body?: unknown): Promise<Record<string, unknown>> {
    const answer = await this.call(method, path, body);
    if (answer.status < 200 || answer.status > 299) {
      throw new Error(`${method} ${path} answered ${answer.status}: ${JSON.stringify(answer.body)}`);
    }
    return typeof answer.body === 'object' && answer.body !== null ? Object.fromEntries(Object.entries(answer.body)) : {};
  }

  /** The same for lists. */
  async list(path: string): Promise<Record<string, unknown>[]> {
    const answer = await this.call('GET', path);
    if (!Array.isArray(answer.body)) {
      throw new Error(`GET ${path} answered ${answer.status}: ${JSON.stringify(answer.body)}`);
    }
    return answer.body.map((row: unknown) => Object.fromEntries(Object.entries(row ?? {})));
  }
}

/** Reads what an API answered. */
export async function readAnswer(response: Response): Promise<ApiAnswer> {
  const { status, headers } = response;
  return { status, headers, body: readBody(headers, await response.text()) };
}

/** JSON by its media type, a list of the lines of a stream, any other text as it is, and undefined where there is no body. */
function readBody(headers: Headers, text: string): unknown {
  if (text === '') {
    return undefined;
  }
  const type = headers.get('content-type') ?? '';
  if (type.startsWith('application/x-ndjson')) {
    return text
      .split('\n')
      .filter((line) => line !== '')
      .map((line): unknown => JSON.parse(line));
  }
  return type.includes('json') ? JSON.parse(text) : text;
}

/** An application with a secret and an event type, made through the API. */
export interface ApplicationSetup {
  readonly organizationId: string;
  readonly applicationId: string;
  readonly secret: string;
  readonly eventType: string;
  /** With the application's secret. */
  readonly client: ApiClient;
}

export async function setUpApplication(master: ApiClient): Promise<ApplicationSetup> {
  const organizationId = String((await master.expect('POST', '/api/v1/organizations', { name: 'Acme' }))['organization_id']);
  const applicationId = String(
    (await master.expect('POST', '/api/v1/applications', { organization_id: organizationId, name: 'Shop' }))['application_id'],
  );
  const [secret] = await master.list(`/api/v1/application_secrets?application_id=${applicationId}`);
  const client = master.withToken(String(secret?.['token']));
  await client.expect('POST', '/api/v1/event_types', {
    application_id: applicationId,
    service: 'order',
    resource_type: 'item',
    verb: 'created',
  });
  return { organizationId, applicationId, secret: String(secret?.['token']), eventType: 'order.item.created', client };
}

/** A subscription to the application's event type, by default for the label `tenant: acme`. */
export async function subscribe(
  setup: ApplicationSetup,
  url: string,
  changes: Readonly<Record<string, unknown>> = {},
): Promise<{ subscriptionId: string; secret: string; standardSecret: string }> {
  const subscription = await setup.client.expect('POST', '/api/v1/subscriptions', {
    application_id: setup.applicationId,
    is_enabled: true,
    event_types: [setup.eventType],
    labels: { tenant: 'acme' },
    target: { type: 'http', method: 'POST', url, headers: {} },
    ...changes,
  });
  return {
    subscriptionId: String(subscription['subscription_id']),
    secret: String(subscription['secret']),
    standardSecret: String(subscription['standard_webhooks_secret']),
  };
}

/** An event that the subscriptions above match. */
export function eventOf(setup: ApplicationSetup, changes: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return {
    application_id: setup.applicationId,
    event_type: setup.eventType,
    payload: '{"item":1}',
    payload_content_type: 'application/json',
    occurred_at: '2026-01-01T00:00:00Z',
    labels: { tenant: 'acme' },
    ...changes,
  };
}
