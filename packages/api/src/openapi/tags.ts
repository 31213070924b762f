import type { Json } from './components.ts';

const descriptions: ReadonlyMap<string, string> = new Map([
  ['events', 'What happened: ingested once, delivered to every subscription that matches.'],
  ['event_types', 'Dotted names that events and subscriptions share.'],
  ['subscriptions', 'Whose events go where.'],
  ['request_attempts', 'Requests to receivers, planned and made.'],
  ['responses', 'What receivers answered.'],
  ['applications', 'Whose events are whose.'],
  ['application_secrets', 'Tokens that may do everything inside of their application.'],
  ['organizations', 'Owners of applications.'],
  ['workers', 'Workers that are known by name.'],
  ['organization_workers', 'Which private workers deliver for whom.'],
  ['errors', 'What can go wrong: a closed set.'],
  ['payload_content_types', 'What payloads can be.'],
  ['instance', 'What the installation says of itself.'],
  ['environment_variables', 'The settings of the installation.'],
  ['documentation', 'This document, and a page to read it in.'],
]);

/** Operations are grouped by resource, the first half of their name. */
export function tagOf(operationName: string): string {
  return operationName.split('.')[0] ?? operationName;
}

/** The tags of these operations, in their order. */
export function tagsOf(operationNames: readonly string[]): Json[] {
  return [...new Set(operationNames.map(tagOf))].map((name) => {
    const description = descriptions.get(name);
    return { name, ...(description !== undefined && { description }) };
  });
}
