import { createRequire } from 'node:module';
import { z } from 'zod';

/** A webhook payload of GitHub as an event of ours. */
export interface GithubPayload {
  readonly eventType: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly payload: string;
}

const collection = z.array(z.object({ name: z.string(), examples: z.array(z.unknown()) }));

/** The examples that npm `@octokit/webhooks-examples` collects: real payloads, some 330 of about 10 kB. */
export function githubPayloads(): GithubPayload[] {
  // The package is one large JSON file, whose own types describe a module that it is not.
  const examples: unknown = createRequire(import.meta.url)('@octokit/webhooks-examples');
  return collection.parse(examples).flatMap(({ name, examples: payloads }) =>
    payloads.map((payload) => ({
      eventType: `github.${name}.received`,
      labels: { source: 'github', family: familyOf(name) },
      payload: JSON.stringify(payload),
    })),
  );
}

/** `pull_request_review` belongs to `pull_request`. */
function familyOf(name: string): string {
  return ['pull_request', 'issue', 'check', 'workflow'].find((family) => name.startsWith(family)) ?? 'other';
}
