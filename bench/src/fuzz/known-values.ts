import { randomUUID } from 'node:crypto';
import type { ApiAnswer } from '@postrider/testkit/api-client';
import { membersOf } from '@postrider/testkit/json-members';

/** Values of a kind beyond the first that are remembered; older ones give way. */
const remembered = 20;

/** Which members of answers hold what requests can name, and what requests call it. */
const kinds: Readonly<Record<string, string>> = {
  organization_id: 'organization_id',
  application_id: 'application_id',
  subscription_id: 'subscription_id',
  event_id: 'event_id',
  request_attempt_id: 'request_attempt_id',
  response_id: 'response_id',
  worker_id: 'worker_id',
  token_id: 'service_token_id',
  token: 'application_secret_token',
  event_type_name: 'event_type',
};

/**
 * Stands in a request for a value that the API knows by then. Requests are generated before they are sent, and are the same again for the same seed,
 * while ids are new in every run.
 */
export function known(kind: string, index: number): string {
  return `known--${kind}--${index}--`;
}

/** What the API has told of what is there: so that requests find it. */
export class KnownValues {
  readonly #values = new Map<string, readonly string[]>();
  readonly #kept: ReadonlySet<string>;

  /** The requests themselves need the ones that are kept: no request may name and so delete them. */
  constructor(kept: readonly string[]) {
    this.#kept = new Set(kept);
  }

  learn(answer: ApiAnswer): void {
    if (answer.status >= 200 && answer.status <= 299) {
      this.#learnFrom(answer.body);
      const next = /[?&]pagination_cursor=([^&>]+)/.exec(answer.headers.get('link') ?? '')?.[1];
      if (next !== undefined) {
        this.add('pagination_cursor', decodeURIComponent(next));
      }
    }
  }

  add(kind: string, value: string): void {
    const [first, ...others] = this.#values.get(kind) ?? [];
    if (first === undefined) {
      this.#values.set(kind, [value]);
    } else if (first !== value && !others.includes(value) && !this.#kept.has(value)) {
      this.#values.set(kind, [first, ...[value, ...others].slice(0, remembered)]);
    }
  }

  /**
   * Puts values where they are meant to be, each as the text around it writes it. `sparesLast`: the last of them is to be deleted, so it is none that
   * was known first, which the others hang on.
   */
  fill(text: string, { write, sparesLast = false }: { readonly write: (value: string) => string; readonly sparesLast?: boolean }): string {
    const lastAt = text.lastIndexOf('known--');
    return text.replaceAll(/known--([a-z_]+)--(\d+)--/g, (_match, kind: string, index: string, at: number) => {
      const values = this.#values.get(kind) ?? [];
      const choice = sparesLast && at === lastAt ? values.slice(1) : values;
      return write(choice[Number(index) % choice.length] ?? randomUUID());
    });
  }

  #learnFrom(body: unknown): void {
    for (const [name, value] of membersOf(body)) {
      const kind = kinds[name];
      if (kind !== undefined && typeof value === 'string') {
        this.add(kind, value);
      } else {
        this.#learnFrom(value);
      }
    }
  }
}
