import { defineConfig } from '@playwright/test'

// One market, one test at a time: what one does to it the next one finds. No second tries: a test that passes now and
// then is a fault.
export default defineConfig({
  testDir: 'specs',
  workers: 1,
  fullyParallel: false,
  retries: 0,
  timeout: 90_000,
  expect: { timeout: 20_000 },
  forbidOnly: true,
  outputDir: process.env.SURETY_RESULTS ?? 'results',
  reporter: [['list'], ['./lib/totals.ts']],
  use: {
    browserName: 'chromium',
    viewport: { width: 1_280, height: 800 },
    locale: 'en-GB',
    timezoneId: 'UTC',
    trace: 'retain-on-failure',
    launchOptions: {
      executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
      args: [
        // Chromium's sandbox refuses root.
        ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
        // A page that a test puts in the keeper's place counts as one from the internet, which may not ask this machine.
        ...(process.env.SURETY_PAGE_DIST === '1' ? ['--disable-features=LocalNetworkAccessChecks'] : []),
      ],
    },
  },
})
