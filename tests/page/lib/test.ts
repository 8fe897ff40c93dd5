/** Playwright's test, with a watch on every page: no request elsewhere, no error on the console, no breach of its CSP. */

import { readFileSync } from 'node:fs'
import { extname, join } from 'node:path'
import { type BrowserContext, test as base, expect, type Page } from '@playwright/test'
import { house, ROOT } from './house.ts'

/** What the watch lets pass in a test that breaks something on purpose, by what is said of it. */
export class Watch {
  readonly wrong: string[] = []
  private readonly allowed: RegExp[] = []

  constructor(private readonly origins: ReadonlySet<string>) {}

  /** From here on this is expected: the test itself causes it. */
  allow(pattern: RegExp): void {
    this.allowed.push(pattern)
  }

  note(what: string): void {
    if (!this.allowed.some((pattern) => pattern.test(what))) this.wrong.push(what)
  }

  follow(context: BrowserContext): void {
    context.on('request', (request) => {
      const url = new URL(request.url())
      const local = url.protocol === 'data:' || url.protocol === 'blob:'
      if (!local && !this.origins.has(url.origin)) this.note(`a request to ${request.url()}`)
    })
    context.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') this.note(`console: ${message.text()}`)
    })
    context.on('weberror', (error) => this.note(`thrown: ${error.error().message}`))
  }
}

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
}

/**
 * SURETY_PAGE_DIST=1: the files of keeper/page/dist instead of those in the keeper, with the keeper's headers. For
 * working on the page without building the keeper; what is judged is what the keeper serves.
 */
async function serveDist(context: BrowserContext): Promise<void> {
  if (process.env.SURETY_PAGE_DIST !== '1') return
  const head = await fetch(`${house.page}/`)
  const policy = head.headers.get('content-security-policy') ?? ''
  const pattern = (url: URL) =>
    url.origin === new URL(house.page).origin && (url.pathname === '/' || url.pathname.startsWith('/assets/'))
  await context.route(pattern, (route) => {
    const { pathname } = new URL(route.request().url())
    const file = pathname === '/' ? '/index.html' : pathname
    const headers = { 'content-type': TYPES[extname(file)] ?? '', 'content-security-policy': policy }
    return route.fulfill({ headers, body: readFileSync(join(ROOT, 'keeper', 'page', 'dist', file)) })
  })
}

/** What every context of a test gets. */
async function prepare(context: BrowserContext, watch: Watch): Promise<void> {
  watch.follow(context)
  await serveDist(context)
  await context.addInitScript(() => {
    addEventListener('securitypolicyviolation', (event) => {
      console.error(`content security policy: ${event.violatedDirective} ${event.blockedURI}`)
    })
  })
}

interface Fixtures {
  watch: Watch
  /** A page of somebody else: another browser, as far as storage and wallets go, watched all the same. */
  elsewhere: Page
}

export const test = base.extend<Fixtures>({
  watch: [
    async ({ context }, use) => {
      const origins = new Set([...house.keepers, house.page].map((url) => new URL(url).origin))
      const watch = new Watch(origins)
      await prepare(context, watch)
      await use(watch)
      expect(watch.wrong, 'requests elsewhere, errors on the console, breaches of the policy').toEqual([])
    },
    { auto: true },
  ],
  elsewhere: async ({ browser, watch }, use) => {
    const context = await browser.newContext()
    await prepare(context, watch)
    await use(await context.newPage())
    await context.close()
  },
})

/** Opens a view and waits for what it shows. */
export async function open(page: Page, hash: string): Promise<void> {
  await page.goto(`${house.page}/${hash}`)
  await settled(page)
}

/** Nothing says that it is loading any more. */
export async function settled(page: Page): Promise<void> {
  await page.getByRole('heading', { level: 1 }).waitFor()
  await expect(page.getByText('Loading…')).toHaveCount(0, { timeout: 15_000 })
}

export { expect }
