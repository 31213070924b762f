import { judgeHost } from '@postrider/shared/domain/forbidden-address';
import { ProblemError } from '../problems.ts';
import type { SubscriptionPost } from '../schemas/subscriptions.ts';

/** The labels that events must have: the map, or the older pair. An empty map matches every event of the types. */
export function labelsOf(post: SubscriptionPost): Record<string, string> {
  if (post.labels) {
    return post.labels;
  }
  if (post.label_key === null || post.label_value === null) {
    throw new ProblemError('LabelsAmbiguity');
  }
  return { [post.label_key]: post.label_value };
}

/** Headers as they are stored: a list of one is a plain text. */
export function headersOf(post: SubscriptionPost): Record<string, string | string[]> {
  const entries = Object.entries(post.target.headers ?? {});
  return Object.fromEntries(
    entries.map(([name, value]) => [name, typeof value !== 'string' && value.length === 1 ? (value[0] ?? '') : value]),
  );
}

/** What is allowed and probably not meant. Workers judge the addresses when they connect. */
export function warningsOf(post: SubscriptionPost): string[] {
  const url = new URL(post.target.url);
  const warnings: string[] = [];
  if (url.protocol === 'http:') {
    warnings.push('target.url is plain http: payloads can be read and changed on their way.');
  }
  const kind = judgeHost(url.hostname, []);
  if (kind === 'forbidden_address' || kind === 'local_name') {
    // The URL may have said it in another notation.
    warnings.push(
      `target.url leads to ${url.hostname}, a private address: workers refuse it unless ALLOWED_TARGET_CIDRS or DISABLE_TARGET_IP_CHECK allows it.`,
    );
  }
  return warnings;
}
