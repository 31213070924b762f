// Writes what packages/client has of the OpenAPI document: the types, and one method per operation. openapi-typescript makes types and nothing
// else, so that the client has no code of strangers; generators of whole clients bring a runtime that retries and fails in its own ways.
import openapiTS, { astToString } from 'openapi-typescript';

const head = '// Made by `pnpm docs` from docs/openapi.json; do not edit.\n';

/**
 * POSTs that may be sent twice without doing their work twice. Every other method may. Batches are not among them: their events may lack the
 * ids that make it harmless; the client's sender of events gives them ids and repeats batches by itself.
 */
const repeatablePosts = new Set([
  '/event',
  '/event_types',
  '/subscriptions/match',
  '/subscriptions/{subscription_id}/pause',
  '/subscriptions/{subscription_id}/resume',
]);

/** The files of packages/client that are made from the document, by their paths. */
export async function renderClient(document) {
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).flatMap(([method, operation]) => describe(document, path, method, operation) ?? []),
  );
  return {
    'packages/client/src/generated/schema.ts': await renderTypes(document, operations),
    'packages/client/src/generated/operation-table.ts': renderTable(operations),
    'packages/client/src/generated/operations.ts': renderOperations(operations),
  };
}

/** What the client needs to know of an operation; null for pages and files, which are for browsers. */
function describe(document, path, method, operation) {
  const answers = Object.entries(operation.responses).filter(([status, { content }]) =>
    content === undefined ? status.startsWith('2') : 'application/json' in content,
  );
  const [[, first] = []] = answers;
  if (!answers.some(([status]) => status.startsWith('2'))) {
    return null;
  }
  const schema = resolve(document, first.content?.['application/json'].schema);
  const body = resolve(document, operation.requestBody?.content['application/json'].schema);
  const names = (place) => (operation.parameters ?? []).filter((parameter) => parameter.in === place).map(({ name }) => name);
  const described = {
    id: operation.operationId,
    summary: operation.summary,
    method: method.toUpperCase(),
    path,
    query: names('query'),
    body: body === undefined ? 'none' : body.type === 'array' ? 'whole' : 'members',
    answers,
    answer: schema === undefined ? 'nothing' : schema.type === 'array' ? 'list' : 'object',
    isRepeatable: method !== 'post' || repeatablePosts.has(path),
    isPaged: 'Link' in (first.headers ?? {}),
    rows: schema?.type === 'array' ? null : onlyListOf(schema),
    isInputNeeded:
      body?.type === 'array' || Boolean(body?.required?.length) || (operation.parameters ?? []).some(({ required }) => required),
    hasInput: (operation.parameters ?? []).length > 0 || body !== undefined,
  };
  refuseClashes(described.id, [...names('path'), ...names('query')], body);
  return described;
}

function resolve(document, schema) {
  return schema?.$ref ? document.components.schemas[schema.$ref.split('/').at(-1)] : schema;
}

/** The one member of an object that is a list: what its pages are made of. */
function onlyListOf(schema) {
  const lists = Object.entries(schema?.properties ?? {}).filter(([, { type }]) => type === 'array');
  return lists.length === 1 ? lists[0][0] : null;
}

/** Path, query and body stand in one object for the caller. What the body may leave out, the path may say for it. */
function refuseClashes(id, parameters, body) {
  const names = [...parameters, ...(body?.required ?? [])];
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) {
    throw new Error(`${id} has two inputs named ${twice}: rename one of them.`);
  }
}

/** The types of what goes in and what comes out. Failures are left out: all of them are problems. */
async function renderTypes(document, operations) {
  const paths = {};
  for (const { id, path, method, answers } of operations) {
    const { requestBody, parameters, summary } = document.paths[path][method.toLowerCase()];
    const responses = answers.map(([status, { description, content }]) => [status, { description, ...onlyJson(content) }]);
    paths[path] ??= {};
    paths[path][method.toLowerCase()] = {
      operationId: id,
      summary,
      ...(parameters ? { parameters } : {}),
      ...(requestBody ? { requestBody: { ...requestBody, ...onlyJson(requestBody.content) } } : {}),
      responses: Object.fromEntries(responses),
    };
  }
  const { openapi, info } = document;
  const nodes = await openapiTS(
    { openapi, info, paths, components: { schemas: withoutJson(document.components.schemas) } },
    // A default is what the server fills in: the caller may leave it out.
    { defaultNonNullable: false },
  );
  return `${head}${astToString(nodes.filter(({ name }) => ['components', 'operations'].includes(name?.text)))}`;
}

/** "Any JSON" is a schema that contains itself, which is no type that TypeScript takes; to a reader it is unknown. */
function withoutJson(schemas) {
  return Object.fromEntries(Object.entries(schemas).map(([name, schema]) => [name, name.startsWith('__schema') ? {} : schema]));
}

function onlyJson(content) {
  return content?.['application/json'] ? { content: { 'application/json': content['application/json'] } } : {};
}

/** What is said of an operation over the wire. */
function renderTable(operations) {
  const rows = operations.map(
    ({ id, method, path, query, body, answers, answer, isRepeatable, rows: member }) =>
      `'${id}': ${JSON.stringify({ method, path, query, body, statuses: answers.map(([status]) => Number(status)), answer, rows: member, isRepeatable })},`,
  );
  return `${head}import type { Operation } from '../operation.ts';
import type { OperationId } from '../types.ts';

export const operationTable: Readonly<Record<OperationId, Operation>> = {
${rows.join('\n')}
};
`;
}

function renderOperations(operations) {
  const groups = Map.groupBy(operations, ({ id }) => id.split('.')[0]);
  const members = [...groups].map(([group, inGroup]) => `${camelCase(group)}: {\n${inGroup.map(renderMethods).join('\n')}\n},`);
  return `${head}import type { CallOptions, Caller, Page } from '../caller.ts';
import type { Answer, Input, Row } from '../types.ts';

/** Every operation of the API, by the names that its document gives them. */
export function createOperations(caller: Caller) {
  return {
${members.join('\n')}
  };
}
`;
}

function renderMethods({ id, summary, method, path, hasInput, isInputNeeded, isPaged }) {
  const name = camelCase(id.split('.').slice(1).join('_'));
  const input = hasInput ? `input${isInputNeeded ? '' : '?'}: Input<'${id}'>, ` : '';
  const args = `'${id}', ${hasInput ? (isInputNeeded ? 'input' : 'input ?? {}') : '{}'}, options`;
  const methods = [
    `/** ${summary}. \`${method} ${path}\` */
    ${name}: (${input}options?: CallOptions): Promise<Answer<'${id}'>> => caller.call(${args}),`,
  ];
  if (isPaged) {
    methods.push(
      `/** ${summary}: page by page. */
      ${name}Pages: (${input}options?: CallOptions): AsyncGenerator<Page<Answer<'${id}'>>, void, undefined> => caller.pages(${args}),`,
      `/** ${summary}: row by row, over all pages. */
      ${name}All: (${input}options?: CallOptions): AsyncGenerator<Row<'${id}'>, void, undefined> => caller.rows(${args}),`,
    );
  }
  return methods.join('\n');
}

function camelCase(name) {
  return name.replace(/_(.)/g, (_match, letter) => letter.toUpperCase());
}
