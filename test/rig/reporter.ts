import type { Reporter, TestModule, TestRunEndReason } from 'vitest/node';
import { leftOut } from './needs.ts';

/** Names what was left out and why, and ends with one plain line that counts. */
class ClosingLines implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[], reason: TestRunEndReason) {
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const count = (state: string): number => tests.filter((test) => test.result().state === state).length;
    const broken = modules.filter((module) => module.errors().length > 0).length;
    const missing = modules
      .flatMap((module) => [...module.children.allSuites()])
      .filter((suite) => suite.name.startsWith(leftOut));
    for (const suite of missing) process.stdout.write(`${suite.name}\n`);
    const failed = count('failed') + broken + errors.length + (reason === 'interrupted' ? 1 : 0);
    process.stdout.write(`\n${count('passed')} passed, ${failed} failed, ${count('skipped')} skipped\n`);
  }
}

// vitest loads a reporter by its default export.
export default ClosingLines;
