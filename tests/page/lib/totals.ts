/** How many tests passed, failed and were left out, in the form that scripts/test adds up; into SURETY_TOTALS if set. */

import { appendFileSync } from 'node:fs'
import type { FullResult, Reporter, Suite, TestCase } from '@playwright/test/reporter'

export default class Totals implements Reporter {
  private tests: TestCase[] = []

  onBegin(_config: unknown, suite: Suite): void {
    this.tests = suite.allTests()
  }

  onEnd(_result: FullResult): void {
    const count = (...outcomes: string[]) => this.tests.filter((test) => outcomes.includes(test.outcome())).length
    const total = `${count('expected')} passed; ${count('unexpected', 'flaky')} failed; ${count('skipped')} ignored`
    if (process.env.SURETY_TOTALS) appendFileSync(process.env.SURETY_TOTALS, `${total}\n`)
    else console.log(total)
  }
}
