/** The last line: how many tests passed, failed and were left out, in the form that scripts/test adds up. */

import type { FullResult, Reporter, Suite, TestCase } from '@playwright/test/reporter'

export default class Totals implements Reporter {
  private tests: TestCase[] = []

  onBegin(_config: unknown, suite: Suite): void {
    this.tests = suite.allTests()
  }

  onEnd(_result: FullResult): void {
    const count = (...outcomes: string[]) => this.tests.filter((test) => outcomes.includes(test.outcome())).length
    console.log(`${count('expected')} passed; ${count('unexpected', 'flaky')} failed; ${count('skipped')} ignored`)
  }
}
