import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { defineRoute, type Reply, type Route } from '../http/route.ts';
import { buildDocument } from '../openapi/document.ts';
import { ProblemError } from '../problems.ts';
import { version } from '../version.ts';

const assetParams = z.object({ file: z.string() });

/** Made by others, served by us: the page works without any other host. */
const assets: ReadonlyMap<string, string> = new Map([
  ['swagger-ui.css', 'text/css; charset=utf-8'],
  ['swagger-ui-bundle.js', 'text/javascript; charset=utf-8'],
  ['favicon-32x32.png', 'image/png'],
]);

const require = createRequire(import.meta.url);
const assetsDirectory = dirname(require.resolve('swagger-ui-dist/package.json'));

const page = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>Postrider API</title>
    <link rel="stylesheet" href="/api/v1/docs/swagger-ui.css">
    <link rel="icon" type="image/png" href="/api/v1/docs/favicon-32x32.png">
  </head>
  <body>
    <div id="operations"></div>
    <noscript>This page needs JavaScript. The OpenAPI document is at <a href="/api/v1/swagger.json">/api/v1/swagger.json</a>.</noscript>
    <script src="/api/v1/docs/swagger-ui-bundle.js"></script>
    <script src="/api/v1/docs/start.js"></script>
  </body>
</html>
`;

/** Without a validator, which would be a page of somebody else's. */
const startScript = `SwaggerUIBundle({
  url: '/api/v1/swagger.json',
  dom_id: '#operations',
  deepLinking: true,
  validatorUrl: null,
});
`;

/** Nothing from elsewhere and no inline script; the page writes styles into its elements, and its style sheet has images in data URLs. */
const pagePolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** The OpenAPI document of all routes, these among them, and a page to read it in. */
export function documentationRoutes(allRoutes: () => readonly Route[]): Route[] {
  let document: Uint8Array | null = null;
  return [
    defineRoute({
      name: 'documentation.openapi',
      summary: 'Describes this API as an OpenAPI document',
      method: 'get',
      path: '/swagger.json',
      access: 'public',
      answer: { status: 200, schema: z.record(z.string(), z.unknown()) },
      async handle() {
        document ??= Buffer.from(JSON.stringify(buildDocument(allRoutes(), version)));
        return { status: 200, content: { type: 'application/json; charset=utf-8', bytes: document } };
      },
    }),
    defineRoute({
      name: 'documentation.page',
      summary: 'Shows this API as a page',
      method: 'get',
      path: '/docs',
      access: 'public',
      answer: { status: 200, contentType: 'text/html' },
      handle: async () => textReply('text/html; charset=utf-8', page, { 'Content-Security-Policy': pagePolicy }),
    }),
    defineRoute({
      name: 'documentation.asset',
      summary: 'Serves what the page consists of',
      method: 'get',
      path: '/docs/:file',
      access: 'public',
      params: assetParams,
      answer: { status: 200, contentType: '*/*' },
      problems: ['NotFound'],
      handle: ({ params }) => assetReply(params.file),
    }),
  ];
}

async function assetReply(file: string): Promise<Reply> {
  if (file === 'start.js') {
    return textReply('text/javascript; charset=utf-8', startScript);
  }
  const type = assets.get(file);
  if (type === undefined) {
    throw new ProblemError('NotFound', { detail: 'The page has no such part.' });
  }
  return {
    status: 200,
    content: { type, bytes: await readFile(join(assetsDirectory, file)) },
    headers: { 'Cache-Control': 'public, max-age=86400' },
  };
}

function textReply(type: string, text: string, headers: Readonly<Record<string, string>> = {}): Reply {
  return { status: 200, content: { type, bytes: Buffer.from(text) }, headers };
}
