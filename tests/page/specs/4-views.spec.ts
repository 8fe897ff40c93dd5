/** Every view, in both themes, wide and on a phone. What the watch of every test sees is here its subject, too. */

import { AxeBuilder } from '@axe-core/playwright'
import type { Page } from '@playwright/test'
import { accountOf, house, lost } from '../lib/house.ts'
import { expect, open, settled, test } from '../lib/test.ts'
import { SIZES, THEMES, VIEWS } from '../lib/views.ts'
import { connect, install } from '../lib/wallet.ts'

/** Everything that opens is open: what is folded away is looked at, too. */
const unfold = (page: Page) =>
  page.evaluate(() => {
    for (const details of document.querySelectorAll('details')) details.open = true
  })

async function violations(page: Page): Promise<string[]> {
  const found = await new AxeBuilder({ page }).analyze()
  return found.violations.map(
    ({ id, nodes }) =>
      `${id}: ${nodes
        .slice(0, 3)
        .map((node) => node.html)
        .join(' ')}`,
  )
}

for (const [size, viewport] of Object.entries(SIZES)) {
  for (const theme of THEMES) {
    test.describe(`${size}, ${theme}`, () => {
      test.use({ viewport, colorScheme: theme })
      for (const [name, hash] of Object.entries(VIEWS)) {
        test(`the view ${name} has no fault that axe finds and needs no scrolling to the side, ${size}, ${theme}`, async ({
          page,
        }) => {
          await open(page, hash)
          await unfold(page)
          await settled(page)
          expect(await violations(page)).toEqual([])
          const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
          expect(over, 'px wider than the screen').toBeLessThanOrEqual(0)
        })
      }
      test(`a miner’s own view has no fault that axe finds either, ${size}, ${theme}`, async ({ page }) => {
        await install(page, accountOf('miner-1'))
        await open(page, `#/miner/${lost.miner}`)
        await connect(page)
        await page.getByRole('heading', { name: 'Credit' }).waitFor()
        await unfold(page)
        await settled(page)
        expect(await violations(page)).toEqual([])
        const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
        expect(over, 'px wider than the screen').toBeLessThanOrEqual(0)
      })
    })
  }
}

test('requests go to keepers alone, no other script may run, and nothing is stored of a wallet but its name', async ({
  page,
  watch,
}) => {
  const origins = new Set<string>()
  page.on('request', (request) => origins.add(new URL(request.url()).origin))
  await install(page, accountOf('renter-2'))
  for (const hash of Object.values(VIEWS)) await open(page, hash)
  await connect(page)
  const keepers = new Set(house.keepers.map((url) => new URL(url).origin))
  expect([...origins].filter((origin) => origin !== 'null' && !keepers.has(origin))).toEqual([])
  const head = await fetch(`${house.page}/`)
  const policy = head.headers.get('content-security-policy') ?? ''
  expect(policy).toMatch(/script-src 'self'|default-src 'self'/)
  expect(policy).not.toMatch(/unsafe/)
  const stored = await page.evaluate(() => ({ ...localStorage }))
  expect(Object.keys(stored).filter((key) => key !== 'surety.theme')).toEqual(['surety.wallet'])
  expect(stored['surety.wallet']).toBe('test.surety')
  // The watch works: a script that the policy forbids is seen.
  watch.allow(/content security policy|Content Security Policy/)
  const ran = await page.evaluate(() => {
    const script = document.createElement('script')
    script.textContent = 'globalThis.broken = true'
    document.body.append(script)
    return 'broken' in globalThis
  })
  expect(ran, 'an inline script ran').toBe(false)
})

test('a keeper’s URL with markup and control characters (made up by this test) is shown as text only', async ({
  page,
}) => {
  const hostile = [
    '"><img src=x onerror="globalThis.broken=1">',
    'javascript:globalThis.broken=1',
    'http://a\u0000\u202eb\u001b[31m<b>c',
  ]
  await page.route('**/v1/network', async (route) => {
    const answer = await route.fetch()
    const body = await answer.json()
    for (const [index, keeper] of body.keepers.entries()) keeper.url = hostile[index] ?? keeper.url
    await route.fulfill({ response: answer, json: body, headers: { ...answer.headers(), etag: '' } })
  })
  await open(page, '#/network')
  const table = page.getByRole('region', { name: 'List of keepers' })
  await expect(table.getByText(hostile[0] as string)).toBeVisible()
  await expect(table.getByText(hostile[1] as string)).toBeVisible()
  expect(await table.locator('img, b, script').count()).toBe(0)
  const targets = await table.locator('a').evaluateAll((links) => links.map((link) => link.getAttribute('href') ?? ''))
  for (const href of targets) expect(href).toMatch(/^(https?:|#)/)
  const shown = (await table.textContent()) ?? ''
  expect(shown, 'characters that steer a terminal or turn text round').not.toMatch(/[\p{Cc}\p{Cf}]/u)
  expect(await page.evaluate(() => 'broken' in globalThis)).toBe(false)
})
