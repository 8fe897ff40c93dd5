/** Pictures of the live page in keeper/page/shots: each view, wide and on a phone, dark and light. */

import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Page } from '@playwright/test'
import { accountOf, early, lost, ROOT } from '../lib/house.ts'
import { expect, open, settled, test } from '../lib/test.ts'
import { SIZES, THEMES } from '../lib/views.ts'
import { connect, install } from '../lib/wallet.ts'

const FOLDER = join(ROOT, 'keeper', 'page', 'shots')
/** WebP keeps text sharp at this quality, at a fifth of a PNG. */
const QUALITY = 82

const VIEWS = {
  market: { hash: '#/market', as: null },
  machine: { hash: `#/machine/${lost.machine}`, as: null },
  rent: { hash: `#/rent/${early.machine}`, as: 'renter-2' },
  miner: { hash: `#/miner/${lost.miner}`, as: 'miner-1' },
  network: { hash: '#/network', as: null },
} as const

async function shoot(page: Page, name: string): Promise<void> {
  const session = await page.context().newCDPSession(page)
  const { data } = await session.send('Page.captureScreenshot', { format: 'webp', quality: QUALITY })
  mkdirSync(FOLDER, { recursive: true })
  writeFileSync(join(FOLDER, `${name}.webp`), Buffer.from(data, 'base64'))
}

for (const [size, viewport] of Object.entries(SIZES)) {
  for (const theme of THEMES) {
    test.describe(`${size}, ${theme}`, () => {
      test.use({ viewport, colorScheme: theme })
      for (const [view, { hash, as }] of Object.entries(VIEWS)) {
        test(`a picture of ${view}, ${size}, ${theme}`, async ({ page }) => {
          if (as) await install(page, accountOf(as))
          await open(page, hash)
          if (as) await connect(page)
          if (view === 'rent') await page.getByLabel('How long').fill('20m')
          await settled(page)
          // What the wallet reads is there, too.
          if (view === 'rent') await expect(page.getByText(/^at least [0-9.]+ TAO$/)).toHaveCount(0)
          await page.evaluate(() => {
            ;(document.activeElement as HTMLElement | null)?.blur()
            scrollTo(0, 0)
          })
          await shoot(page, `${view}-${size}-${theme}`)
        })
      }
    })
  }
}
