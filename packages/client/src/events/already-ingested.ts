import type { PostriderError } from '../errors.ts';

/** Whether an earlier try did it, although its answer was lost. On the first try it is a failure: somebody else used this id. */
export function wasIngestedBefore(error: Pick<PostriderError, 'id' | 'code'>, attempts: number): boolean {
  return attempts > 1 && error.id === 'EventAlreadyIngested' && error.code !== 'different_content';
}
