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
  /** The JSON Schema of its body, of each line where it is a stream of them; undefined when it takes none. */
  readonly body: unknown;
  readonly bodyType: BodyType;
}

export type BodyType = 'application/json' | 'application/x-ndjson';

const bodyTypes: readonly BodyType[] = ['application/json', 'application/x-ndjson'];

/** One for each type of body that it takes. */
export function operationsOf(document: unknown): Operation[] {
  return membersOf(at(document, 'paths')).flatMap(([path, methods]) =>
    membersOf(methods).flatMap(([method, operation]) =>
      bodyTypes.flatMap((bodyType): Operation[] => {
        const body = at(operation, 'requestBody', 'content', bodyType, 'schema');
        const parameters = membersOf(at(operation, 'parameters')).map(([, parameter]) => parameterOf(parameter));
        const isTaken = body !== undefined || (bodyType === 'application/json' && at(operation, 'requestBody') === undefined);
        return isTaken ? [{ method: method.toUpperCase(), path, parameters, body, bodyType }] : [];
      }),
    ),
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
