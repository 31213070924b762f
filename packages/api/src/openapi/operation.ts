import { STATUS_CODES } from 'node:http';
import type { z } from 'zod';
import type { Access, Answer, Route } from '../http/route.ts';
import { problemView } from '../schemas/problems.ts';
import type { Components, Json } from './components.ts';
import { answerHeaders } from './headers.ts';
import { problemResponsesOf } from './problem-responses.ts';
import { tagOf } from './tags.ts';

/** Which tokens a route takes: any one of the schemes. */
const securityOf: Readonly<Record<Access, readonly Json[]>> = {
  public: [],
  application: [{ applicationSecret: [] }, { serviceToken: [] }, { masterKey: [] }],
  organization: [{ serviceToken: [] }, { masterKey: [] }],
  master: [{ masterKey: [] }],
};

/** A route as an operation of the document. */
export function operationOf(route: Route, components: Components): Json {
  const { params, query } = route.schemas;
  const parameters = [...parametersOf(params, 'path', components), ...parametersOf(query, 'query', components)];
  return {
    operationId: route.name,
    tags: [tagOf(route.name)],
    summary: route.summary,
    ...(route.description !== undefined && { description: route.description }),
    security: securityOf[route.access],
    ...(parameters.length > 0 && { parameters }),
    ...requestBodyOf(route, components),
    responses: responsesOf(route, components),
  };
}

function requestBodyOf({ schemas, bodies = [] }: Route, components: Components): Json {
  const all = [...(schemas.body ? [{ contentType: 'application/json', schema: schemas.body }] : []), ...bodies];
  const content = Object.fromEntries(all.map(({ contentType, schema }) => [contentType, { schema: components.schemaOf(schema, 'input') }]));
  return all.length === 0 ? {} : { requestBody: { required: true, content } };
}

function parametersOf(schema: z.ZodType | undefined, place: 'path' | 'query', components: Components): Json[] {
  if (!schema) {
    return [];
  }
  const { properties, required } = components.schemaOf(schema, 'input');
  return Object.entries(properties ?? {}).map(([name, own]: [string, unknown]) => {
    const { description, ...shape } = membersOf(own);
    return {
      name,
      in: place,
      ...(description !== undefined && { description }),
      required: place === 'path' || (Array.isArray(required) && required.includes(name)),
      schema: shape,
    };
  });
}

function membersOf(value: unknown): Json {
  const members: [string, unknown][] = typeof value === 'object' && value !== null ? Object.entries(value) : [];
  return Object.fromEntries(members);
}

function responsesOf(route: Route, components: Components): Json {
  const isPaged = 'pagination_cursor' in membersOf(route.schemas.query && components.schemaOf(route.schemas.query, 'input')['properties']);
  const answers: Record<string, Json> = {};
  for (const answer of [route.answer, ...(route.otherAnswers ?? [])]) {
    const before = membersOf(answers[answer.status]);
    const own = answerOf(answer, isPaged, components);
    const content = { ...membersOf(before['content']), ...membersOf(own['content']) };
    answers[answer.status] = { ...before, ...own, ...(Object.keys(content).length > 0 && { content }) };
  }
  return { ...problemResponsesOf(route, components), ...answers };
}

/** A status of an answer that is no success can be that of a problem too. */
function problemContent(components: Components): Json {
  return { 'application/problem+json': { schema: components.schemaOf(problemView, 'output') } };
}

function answerOf(answer: Answer, isPaged: boolean, components: Components): Json {
  const { status, schema, contentType } = answer;
  const mediaType = schema ? { schema: components.schemaOf(schema, 'output') } : contentType === undefined ? null : {};
  return {
    description: STATUS_CODES[status] ?? String(status),
    headers: answerHeaders(isPaged),
    ...(mediaType && { content: { [contentType ?? 'application/json']: mediaType, ...(status >= 400 && problemContent(components)) } }),
  };
}
