import type { Route } from '../http/route.ts';
import { type ProblemId, problems } from '../problems.ts';
import { problemView } from '../schemas/problems.ts';
import type { Components, Json } from './components.ts';
import { problemHeaders } from './headers.ts';

/** Problems in one named response: beyond, the name would be longer than what it saves. */
const namedProblemsMax = 2;

/** What a body can be refused with before its content is looked at. */
const bodyStatuses = [400, 413, 415] as const;

/** The problems that a route can answer with, by status. */
export function problemResponsesOf(route: Route, components: Components): Readonly<Record<string, Json>> {
  const byStatus = new Map<number, Set<ProblemId>>();
  for (const [status, id] of problemsOf(route)) {
    byStatus.set(status, (byStatus.get(status) ?? new Set()).add(id));
  }
  return Object.fromEntries([...byStatus].map(([status, ids]) => [status, responseOf(status, [...ids], components)]));
}

function problemsOf(route: Route): [status: number, id: ProblemId][] {
  const own: readonly ProblemId[] = [...(route.problems ?? []), ...problemsOfAccess(route), ...everywhere];
  return [
    ...own.map((id): [number, ProblemId] => [problems[id].status, id]),
    ...(route.schemas.body || route.bodies ? bodyStatuses.map((status): [number, ProblemId] => [status, 'JsonPayload']) : []),
  ];
}

/** Any parameter can have the character that PostgreSQL cannot keep, hence `Validation`. */
const everywhere = ['Validation', 'RateLimited', 'InternalServerError', 'ServiceUnavailable'] as const;

function problemsOfAccess({ access }: Route): readonly ProblemId[] {
  return access === 'public' ? [] : ['AuthInvalidAuthorizationHeader', 'AuthNoAuthorizationHeader', 'AuthInvalidBiscuit', 'Forbidden'];
}

/** Equal sets of few problems are one component, named by them; a status that is not the usual one of its problem is part of the name. */
function responseOf(status: number, ids: readonly ProblemId[], components: Components): Json {
  const isUsual = ids.every((id) => problems[id].status === status);
  const name = `${ids.toSorted().join('Or')}${isUsual ? '' : status}`;
  const response = {
    description: ids.map((id) => problems[id].title).join('; '),
    headers: problemHeaders(status),
    content: {
      'application/problem+json': {
        schema: {
          allOf: [components.schemaOf(problemView, 'output')],
          properties: { status: { const: status }, id: { enum: ids } },
        },
        examples: Object.fromEntries(ids.map((id) => [id, { summary: problems[id].title, value: exampleOf(status, id) }])),
      },
    },
  };
  return ids.length <= namedProblemsMax ? components.response(name, response) : response;
}

function exampleOf(status: number, id: ProblemId): Json {
  return {
    type: `https://postrider.example/api/v1/errors/${id}`,
    title: problems[id].title,
    status,
    detail: problems[id].detail,
    id,
    validation: id === 'Validation' ? { name: [{ code: 'length', message: 'wanted 1 to 50 characters', params: { max: 50 } }] } : null,
    instance: null,
  };
}
