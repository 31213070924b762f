// The layers of the house: domain <- database/queries <- services <- transport <- composition. Each rule says what to do instead.
const tests = String.raw`(\.test\.ts|/src/testing/[^/]+)$`;

export default {
  forbidden: [
    {
      name: 'no-cycles',
      comment: 'Two modules that need each other are one module, or share a third: move what both need there.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'everything-resolves',
      comment: 'An import that leads nowhere passes every other rule: correct its path, or declare its package where it is used.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: 'api-and-worker-apart',
      comment: 'The API and the worker are deployed apart: move what both need to packages/shared.',
      severity: 'error',
      from: { path: '^packages/(api|worker)/src' },
      to: { path: '^packages/(?!$1)(api|worker)/src' },
    },
    {
      name: 'cli-is-a-client',
      comment: 'The CLI is a client like any other: what it needs of the server it asks for over HTTP, or repeats.',
      severity: 'error',
      from: { path: '^packages/cli/src', pathNot: tests },
      to: { path: '^packages/(?!cli/)' },
    },
    {
      name: 'cli-is-not-a-library',
      comment: 'Nobody imports the CLI: tests and scripts run it as a process.',
      severity: 'error',
      from: { pathNot: '^packages/cli/src' },
      to: { path: '^packages/cli/src' },
    },
    {
      name: 'client-stands-alone',
      comment: 'Strangers install the client, in any runtime: it has no dependencies, neither ours, nor of the registry, nor of Node.',
      severity: 'error',
      from: { path: '^packages/client/src', pathNot: tests },
      to: { pathNot: '^packages/client/src' },
    },
    {
      name: 'shared-stands-alone',
      comment: 'Shared code knows neither the API nor the worker: pass what it needs as a parameter.',
      severity: 'error',
      from: { path: '^packages/shared/src' },
      to: { path: '^packages/(api|worker|demo)/src' },
    },
    {
      name: 'testkit-only-in-tests',
      comment: 'What ships never imports the testkit: only tests, the demo and benchmarks do.',
      severity: 'error',
      from: { path: '^packages/(api|worker|shared|cli|client)/src', pathNot: tests },
      to: { path: '^packages/(testkit|demo)/' },
    },
    {
      name: 'domain-is-pure',
      comment: 'The domain decides and does nothing: no database, no network, no logger. Pass values in.',
      severity: 'error',
      from: { path: '^packages/shared/src/domain', pathNot: tests },
      to: {
        pathNot: [
          '^packages/shared/src/domain',
          'node_modules/(ipaddr.js|uuid|zod)/',
          'node_modules/.pnpm/(ipaddr.js|uuid|zod)@',
          '^(node:)?crypto$',
        ],
      },
    },
    {
      name: 'queries-do-not-call-each-other',
      comment: 'A query is one statement. Two statements in a row are a service. Sharing the type of a row is fine.',
      severity: 'error',
      from: { path: '^packages/shared/src/database/queries', pathNot: tests },
      to: { path: '^packages/shared/src/database/queries', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'express-only-in-transport',
      comment: 'Express ends at the transport: services take values and return results.',
      severity: 'error',
      from: { pathNot: ['^packages/api/src/http', String.raw`^packages/api/src/app\.ts$`, tests] },
      to: { path: 'node_modules/(.pnpm/)?express[@/]' },
    },
    {
      name: 'undici-only-in-transport',
      comment: 'Undici ends at packages/worker/src/http: the rest of the worker sees requests and outcomes.',
      severity: 'error',
      from: { path: '^packages/', pathNot: ['^packages/worker/src/http', tests] },
      to: { path: 'node_modules/(.pnpm/)?undici[@/]' },
    },
    {
      name: 'services-below-transport',
      comment: 'A service does not know that HTTP asks: throw or return what happened, and let the route say it in HTTP.',
      severity: 'error',
      from: { path: '^packages/api/src/services', pathNot: tests },
      to: { path: '^packages/api/src/(routes|http|problems)' },
    },
    {
      name: 'nothing-imports-main',
      comment: 'A main wires and starts: what others need of it lives in a module of its own.',
      severity: 'error',
      from: {},
      to: { path: String.raw`^packages/[^/]+/src/main\.ts$` },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: ['/dist/', '/dist-test/'] },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.base.json' },
    enhancedResolveOptions: { conditionNames: ['postrider-source', 'import', 'node', 'default', 'types'], exportsFields: ['exports'] },
  },
};
