import { defineConfig } from 'vitest/config';

// Tests of units and of statements run the sources; end-to-end tests start what `pnpm build` made.
const resolve = { conditions: ['postrider-source', 'node'] };
const ssr = { resolve: { conditions: ['postrider-source', 'node'], externalConditions: ['postrider-source', 'node'] } };
const globalSetup = ['packages/testkit/src/vitest-global-setup.ts'];
const exclude = ['**/node_modules/**', '**/dist/**', '**/dist-test/**'];

export default defineConfig({
  test: {
    reporters: [['default', { summary: false }], './packages/testkit/src/summary-reporter.ts'],
    pool: 'forks',
    maxWorkers: 2,
    projects: [
      {
        resolve,
        ssr,
        test: {
          name: 'unit',
          include: ['packages/*/src/**/*.test.ts', 'bench/src/**/*.test.ts'],
          exclude: [...exclude, '**/*.int.test.ts', '**/*.e2e.test.ts'],
          testTimeout: 30_000,
        },
      },
      {
        resolve,
        ssr,
        test: {
          name: 'int',
          include: ['packages/*/src/**/*.int.test.ts', 'bench/src/**/*.int.test.ts'],
          exclude,
          globalSetup,
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        resolve,
        ssr,
        test: {
          name: 'e2e',
          include: ['packages/*/src/**/*.e2e.test.ts', 'bench/src/**/*.e2e.test.ts'],
          exclude,
          globalSetup,
          // Each of these starts several processes and mostly waits for them.
          testTimeout: 180_000,
          hookTimeout: 180_000,
        },
      },
    ],
  },
});
