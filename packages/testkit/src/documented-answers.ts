import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import type { ApiAnswer } from './api-client.ts';

const basePath = '/api/v1';
const problemType = 'application/problem+json';
const linesType = 'application/x-ndjson';
const problemPointer = '#/components/schemas/Problem';

/** Holds what an API answers to what its OpenAPI document says, so that every test of the API is one of the document too. */
export class DocumentedAnswers {
  readonly #document: unknown;
  readonly #ajv = new Ajv2020({ strict: false, allErrors: true });
  readonly #validators = new Map<string, ValidateFunction>();

  constructor(document: unknown) {
    this.#document = withoutOtherMembers(document);
    formats.default(this.#ajv);
    this.#ajv.addSchema(Object.fromEntries(membersOf(this.#document)), 'api');
  }

  /** Reads the document where the API serves it. */
  static async of(url: string): Promise<DocumentedAnswers> {
    return new DocumentedAnswers(await (await fetch(`${url}${basePath}/swagger.json`)).json());
  }

  /** The paths of the document with their methods, such as `GET /events/{event_id}`. */
  operations(): string[] {
    return membersOf(at(this.#document, 'paths')).flatMap(([path, methods]) =>
      membersOf(methods).map(([method]) => `${method.toUpperCase()} ${path}`),
    );
  }

  /** Fails with what the document does not say of the answer. */
  readonly check = (method: string, target: string, answer: ApiAnswer): void => {
    const problem = this.#differenceOf(method, pathOf(target), answer);
    if (problem !== null) {
      throw new Error(`${method} ${target} answered ${answer.status}, which is not as documented: ${problem}`);
    }
  };

  #differenceOf(method: string, path: string, answer: ApiAnswer): string | null {
    const template = this.#templateOf(path);
    const operation = at(this.#document, 'paths', template ?? '', method.toLowerCase());
    if (operation === undefined) {
      const expected = template === null ? 404 : 405;
      return answer.status === expected ? this.#invalid(problemPointer, answer.body) : 'there is no such operation';
    }
    const response = at(operation, 'responses', String(answer.status));
    if (response === undefined) {
      return 'the operation has no such status';
    }
    const reference = at(response, '$ref');
    const pointer =
      typeof reference === 'string' ? reference : pointerOf('paths', template ?? '', method.toLowerCase(), 'responses', answer.status);
    return this.#bodyDifferenceOf(pointer, answer);
  }

  #bodyDifferenceOf(pointer: string, answer: ApiAnswer): string | null {
    const types = membersOf(at(this.#document, ...stepsOf(pointer), 'content')).map(([name]) => name);
    const type = answer.headers.get('content-type')?.split(';')[0] ?? null;
    if (type === null) {
      return types.length === 0 && answer.body === undefined ? null : `a body of ${types.join(' or ')} is missing`;
    }
    if (!types.includes(type)) {
      return `${type} is none of ${types.join(', ')}`;
    }
    if (answer.status >= 400 && type !== problemType && !types.includes(problemType)) {
      return `a failure is ${problemType}`;
    }
    const schema = `${pointer}/content/${escaped(type)}/schema`;
    // The schema of a stream is that of each line.
    const parts = type === linesType ? [answer.body ?? []].flat() : [answer.body];
    return parts.map((part) => this.#invalid(schema, part)).find((difference) => difference !== null) ?? null;
  }

  #invalid(pointer: string, body: unknown): string | null {
    const validate = this.#validators.get(pointer) ?? this.#ajv.compile({ $ref: `api${pointer}` });
    this.#validators.set(pointer, validate);
    return validate(body) ? null : this.#ajv.errorsText(validate.errors, { dataVar: 'body' });
  }

  /** A template without parameters goes first, as `/events/batch` before `/events/{event_id}`. */
  #templateOf(path: string): string | null {
    const templates = membersOf(at(this.#document, 'paths'))
      .map(([template]) => template)
      .toSorted((a, b) => a.split('{').length - b.split('{').length);
    return templates.find((template) => new RegExp(`^${template.replaceAll(/\{\w+\}/g, '[^/]+')}$`).test(path)) ?? null;
  }
}

/** The path below the base, as the API reads it: slashes collapse, and two older spellings have no version. */
function pathOf(target: string): string {
  const path = target
    .replace(/\?.*/s, '')
    .replaceAll(/\/{2,}/g, '/')
    .replace(/(.)\/$/, '$1')
    .replace(/^\/api\/(event|event_types)(?=\/|$)/, `${basePath}/$1`);
  return path.startsWith(basePath) ? path.slice(basePath.length) : path;
}

/** Answers may grow members, so the document allows any: a test wants to hear of each. */
function withoutOtherMembers(document: unknown): unknown {
  const copy: unknown = structuredClone(document);
  for (const [, schema] of membersOf(at(copy, 'components', 'schemas'))) {
    closeObjects(schema);
  }
  return copy;
}

function closeObjects(schema: unknown): void {
  if (typeof schema !== 'object' || schema === null) {
    return;
  }
  if ('properties' in schema && 'type' in schema && schema.type === 'object' && !('additionalProperties' in schema)) {
    Object.assign(schema, { additionalProperties: false });
  }
  for (const part of Object.values(schema)) {
    closeObjects(part);
  }
}

function membersOf(value: unknown): [string, unknown][] {
  return typeof value === 'object' && value !== null ? Object.entries(value) : [];
}

function at(value: unknown, ...steps: readonly string[]): unknown {
  let here = value;
  for (const step of steps) {
    here = typeof here === 'object' && here !== null ? Reflect.get(here, step) : undefined;
  }
  return here;
}

function pointerOf(...steps: readonly (string | number)[]): string {
  return `#/${steps.map((step) => escaped(String(step))).join('/')}`;
}

function escaped(step: string): string {
  return encodeURIComponent(step.replaceAll('~', '~0').replaceAll('/', '~1'));
}

function stepsOf(pointer: string): string[] {
  return pointer
    .slice(2)
    .split('/')
    .map((step) => decodeURIComponent(step).replaceAll('~1', '/').replaceAll('~0', '~'));
}
