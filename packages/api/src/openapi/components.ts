import { z } from 'zod';

/** Any part of the document. */
export type Json = Readonly<Record<string, unknown>>;

/** Parts of the document that have names and are referred to. */
export interface Components {
  /** The JSON schema of what comes in, or goes out, by a zod schema. Shapes with an id become components. */
  schemaOf(schema: z.ZodType, io: 'input' | 'output'): Json;
  /** Keeps a response under a name; answers the reference to it. */
  response(name: string, response: Json): Json;
  /** All that was named so far. */
  all(): { readonly schemas: Json; readonly responses: Json };
}

/** Gathers the parts that have names, so that the document says each once. */
export function createComponents(): Components {
  const schemas = new Map<string, unknown>();
  const responses = new Map<string, Json>();
  return {
    schemaOf(schema, io) {
      const { $schema: _dialect, $defs: definitions, ...own } = toJsonSchema(schema, io);
      for (const [name, definition] of Object.entries(definitions ?? {})) {
        schemas.set(name, withComponentRefs(definition));
      }
      return Object.fromEntries(Object.entries(own).map(([name, value]) => [name, withComponentRefs(value)]));
    },
    response(name, response) {
      responses.set(name, response);
      return { $ref: `#/components/responses/${name}` };
    },
    all: () => ({ schemas: sorted(schemas), responses: sorted(responses) }),
  };
}

function toJsonSchema(schema: z.ZodType, io: 'input' | 'output'): z.core.JSONSchema.JSONSchema {
  const { '~standard': _standard, ...json } = z.toJSONSchema(schema, {
    io,
    // A transformation and a date have no JSON of their own; what they come from, and the override, say what is sent.
    unrepresentable: 'any',
    override({ zodSchema, jsonSchema }) {
      if (zodSchema instanceof z.ZodDate) {
        jsonSchema.type = 'string';
        jsonSchema.format = 'date-time';
      }
      // Answers may grow members: clients must not refuse them.
      if (jsonSchema.additionalProperties === false) {
        delete jsonSchema.additionalProperties;
      }
    },
  });
  return json;
}

/** zod refers to definitions of the schema itself; here they are components of the document. */
function withComponentRefs(value: unknown): unknown {
  if (Array.isArray(value)) {
    return value.map(withComponentRefs);
  }
  if (typeof value !== 'object' || value === null) {
    return typeof value === 'string' ? value.replace(/^#\/\$defs\//, '#/components/schemas/') : value;
  }
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, withComponentRefs(member)]));
}

function sorted<T>(parts: ReadonlyMap<string, T>): Readonly<Record<string, T>> {
  return Object.fromEntries([...parts].toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
