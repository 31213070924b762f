import type { Route } from '../http/route.ts';
import { createComponents, type Json } from './components.ts';
import { headerComponents } from './headers.ts';
import { operationOf } from './operation.ts';
import { tagsOf } from './tags.ts';

const description = `Webhook delivery on PostgreSQL: post events, subscribe receivers, read every attempt.

Every failure is a problem document (RFC 9457) whose \`type\` leads to its explanation, also where no operation says so: unknown paths are
answered 404, other methods 405, requests that are no HTTP 400, 408 or 431. Times are RFC 3339 in UTC, ids are UUIDs. Unknown members
and parameters are ignored, in both directions. Request bodies may be sent with \`Content-Encoding: gzip\`.`;

const securitySchemes = {
  applicationSecret: bearer('The secret of an application, a UUID: everything inside of that application.'),
  serviceToken: bearer('A service token: its organization, within its role and its restrictions.'),
  masterKey: bearer('The key of the installation (`MASTER_API_KEY`), a UUID: everything.'),
};

function bearer(words: string): Json {
  return { type: 'http', scheme: 'bearer', description: words };
}

/** The OpenAPI document of these routes. */
export function buildDocument(routes: readonly Route[], version: string): Json {
  const components = createComponents();
  const paths = Map.groupBy(routes, ({ path }) => path.replaceAll(/:(\w+)/g, '{$1}'));
  return {
    openapi: '3.1.1',
    info: { title: 'Postrider', version, description, license: { name: 'Apache-2.0', identifier: 'Apache-2.0' } },
    servers: [{ url: '/api/v1' }],
    tags: tagsOf(routes.map(({ name }) => name)),
    paths: Object.fromEntries(
      [...paths].map(([path, operations]) => [
        path,
        Object.fromEntries(operations.map((route) => [route.method, operationOf(route, components)])),
      ]),
    ),
    components: { ...components.all(), headers: headerComponents, securitySchemes },
  };
}
