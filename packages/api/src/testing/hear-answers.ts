import { readAnswer } from '@postrider/testkit/api-client';
import { DocumentedAnswers } from '@postrider/testkit/documented-answers';

export interface HeardAnswers {
  /** Operations of the OpenAPI document that have not succeeded so far. */
  neverSucceeded(): string[];
  /** Gives the process its own fetch back. */
  stop(): void;
}

/**
 * Listens at this process's fetch, since clients that are not ours have no other place for it, and holds every answer of the API to its OpenAPI
 * document: one that is not as documented fails the call.
 */
export async function hearAnswers(apiUrl: string): Promise<HeardAnswers> {
  const plainFetch = globalThis.fetch;
  const documented = await DocumentedAnswers.of(apiUrl);
  const succeeded = new Set<string | null>();
  globalThis.fetch = async (...args) => {
    const request = new Request(...args);
    const response = await plainFetch(request);
    if (request.url.startsWith(apiUrl)) {
      const target = request.url.slice(apiUrl.length);
      documented.check(request.method, target, await readAnswer(response.clone()));
      if (response.ok) {
        succeeded.add(documented.operationOf(request.method, target));
      }
    }
    return response;
  };
  return {
    neverSucceeded: () => documented.operations().filter((operation) => !succeeded.has(operation)),
    stop() {
      globalThis.fetch = plainFetch;
    },
  };
}
