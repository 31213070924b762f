import { at, membersOf } from '@postrider/testkit/json-members';

/** What goes into a path or a query. */
export interface Parameter {
  readonly name: string;
  readonly place: 'path' | 'query';
  readonly isRequired: boolean;
  readonly schema: unknown;
}

/** An operation as an OpenAPI document describes it. */
export interface Operation {
  readonly method: string;
  /** Below the base path, with `{name}` for parameters. */
  readonly path: string;
  readonly parameters: readonly Parameter[];
  /** The JSON Schema of its body; undefined when it takes none. */
  readonly body: unknown;
}

export function operationsOf(document: unknown): Operation[] {
  return membersOf(at(document, 'paths')).flatMap(([path, methods]) =>
    membersOf(methods).map(([method, operation]) => ({
      method: method.toUpperCase(),
      path,
      parameters: membersOf(at(operation, 'parameters')).map(([, parameter]) => parameterOf(parameter)),
      body: at(operation, 'requestBody', 'content', 'application/json', 'schema'),
    })),
  );
}

/** The schema itself, where this one only names another of the document. */
export function resolveSchema(document: unknown, schema: unknown): unknown {
  const reference = at(schema, '$ref');
  return typeof reference === 'string' ? resolveSchema(document, at(document, ...reference.slice(2).split('/'))) : schema;
}

function parameterOf(parameter: unknown): Parameter {
  return {
    name: String(at(parameter, 'name')),
    place: at(parameter, 'in') === 'path' ? 'path' : 'query',
    isRequired: at(parameter, 'required') === true,
    schema: at(parameter, 'schema'),
  };
}
