import type { Reporter, TestModule } from 'vitest/node';

/** Ends the output of a run with one line that machines read: `412 passed, 0 failed`. */
export default class SummaryReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    let passed = 0;
    let failed = unhandledErrors.length;
    for (const module of modules) {
      const tests = [...module.children.allTests()];
      passed += tests.filter((test) => test.result().state === 'passed').length;
      const failures = tests.filter((test) => test.result().state === 'failed').length;
      // A file that could not be run, or whose hooks failed, has no failed test to show for it.
      failed += failures === 0 && !module.ok() ? 1 : failures;
    }
    // After the summary of the default reporter, which is written in the same turn.
    setImmediate(() => process.stdout.write(`${passed} passed, ${failed} failed\n`));
  }
}
