import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import type { ApiAnswer } from './api-client.ts';
import { at, membersOf } from './json-members.ts';

const basePath = '/api/v1';
const problemType = 'application/problem+json';
const linesType = 'application/x-ndjson';
const problemPointer = '#/components/schemas/Problem';

/** Holds what an API answers to what its OpenAPI document says, so that every test of the API is one of the document too. */
export class DocumentedAnswers {
  readonly #document: unknown;
  readonly #templates: readonly { readonly path: string; readonly pattern: RegExp }[];
  readonly #ajv = new Ajv2020({ strict: false, allErrors: true });
  readonly #validators = new Map<string, ValidateFunction>();

  constructor(document: unknown) {
    this.#document = withoutOtherMembers(document);
    this.#templates = templatesOf(this.#document);
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

  /** Which of them a request is for, null when for none. HEAD is GET without the body. */
  operationOf(method: string, target: string): string | null {
    const template = this.#templateOf(pathOf(target));
    const documented = documentedMethod(method);
    return at(this.#document, 'paths', template ?? '', documented) === undefined ? null : `${documented.toUpperCase()} ${template}`;
  }

  /** Fails unless an answer is a problem document of any status: for requests that no operation can be told of. */
  readonly checkProblem = (method: string, target: string, answer: ApiAnswer): void => {
    const problem = this.#problemDifferenceOf(answer, method);
    if (problem !== null) {
      throw new Error(`${method} ${target} answered ${answer.status}, which is no problem as documented: ${problem}`);
    }
  };

  #differenceOf(method: string, path: string, answer: ApiAnswer): string | null {
    const template = this.#templateOf(path);
    if (method === 'OPTIONS' && template !== null) {
      return answer.status === 204 && answer.body === undefined ? null : 'OPTIONS is answered 204 without a body';
    }
    const documented = documentedMethod(method);
    const operation = at(this.#document, 'paths', template ?? '', documented);
    if (operation === undefined) {
      const expected = template === null ? 404 : 405;
      return answer.status === expected ? this.#problemDifferenceOf(answer, method) : 'there is no such operation';
    }
    const response = at(operation, 'responses', String(answer.status));
    if (response === undefined) {
      return 'the operation has no such status';
    }
    const reference = at(response, '$ref');
    const pointer = typeof reference === 'string' ? reference : pointerOf('paths', template ?? '', documented, 'responses', answer.status);
    return method === 'HEAD' ? this.#typeDifferenceOf(pointer, answer, false) : this.#bodyDifferenceOf(pointer, answer);
  }

  #problemDifferenceOf(answer: ApiAnswer, method: string): string | null {
    const type = mediaTypeOf(answer);
    if (type !== problemType || (method === 'HEAD') !== (answer.body === undefined)) {
      return `${type} with ${answer.body === undefined ? 'no' : 'a'} body is no problem document`;
    }
    return method === 'HEAD' ? null : this.#invalid(problemPointer, answer.body);
  }

  #bodyDifferenceOf(pointer: string, answer: ApiAnswer): string | null {
    const type = mediaTypeOf(answer);
    const content = at(this.#document, ...stepsOf(pointer), 'content', type ?? '');
    const difference = this.#typeDifferenceOf(pointer, answer, type !== null);
    if (difference !== null || at(content, 'schema') === undefined) {
      return difference;
    }
    // The schema of a stream is that of each line.
    const parts = type === linesType ? [answer.body ?? []].flat() : [answer.body];
    const schema = `${pointer}/content/${escaped(type ?? '')}/schema`;
    return parts.map((part) => this.#invalid(schema, part)).find((invalid) => invalid !== null) ?? null;
  }

  #typeDifferenceOf(pointer: string, answer: ApiAnswer, hasBody: boolean): string | null {
    const types = membersOf(at(this.#document, ...stepsOf(pointer), 'content')).map(([name]) => name);
    const type = mediaTypeOf(answer);
    // A stream may end before its first line.
    if (hasBody !== (answer.body !== undefined) && (type !== linesType || !hasBody)) {
      return hasBody ? 'the body is missing' : 'there is a body';
    }
    if (type === null) {
      return types.length === 0 ? null : `a body of ${types.join(' or ')} is missing`;
    }
    if (!types.includes(type) && !types.includes('*/*')) {
      return `${type} is none of ${types.join(', ')}`;
    }
    return answer.status >= 400 && type !== problemType && !types.includes(problemType) ? `a failure is ${problemType}` : null;
  }

  #invalid(pointer: string, body: unknown): string | null {
    const validate = this.#validators.get(pointer) ?? this.#ajv.compile({ $ref: `api${pointer}` });
    this.#validators.set(pointer, validate);
    return validate(body) ? null : this.#ajv.errorsText(validate.errors, { dataVar: 'body' });
  }

  #templateOf(path: string): string | null {
    return this.#templates.find(({ pattern }) => pattern.test(path))?.path ?? null;
  }
}

/** A template without parameters goes first, as `/events/batch` before `/events/{event_id}`. */
function templatesOf(document: unknown) {
  return membersOf(at(document, 'paths'))
    .map(([path]) => ({ path, pattern: new RegExp(`^${path.replaceAll('.', String.raw`\.`).replaceAll(/\{\w+\}/g, '[^/]+')}$`) }))
    .toSorted((a, b) => a.path.split('{').length - b.path.split('{').length);
}

function documentedMethod(method: string): string {
  return method === 'HEAD' ? 'get' : method.toLowerCase();
}

function mediaTypeOf({ headers }: ApiAnswer): string | null {
  return headers.get('content-type')?.split(';')[0] ?? null;
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
