/** A miner takes bond out: asked for, called back, asked for again, and withdrawn after the delay. */

import { accountOf, bondOnChain, chain, creditOnChain, idle, tao } from '../lib/house.ts'
import { expect, open, test } from '../lib/test.ts'
import { connect, install } from '../lib/wallet.ts'

const AMOUNT_RAO = 100_000_000n

test('a miner requests an exit, cancels it, requests it again and withdraws it after the delay', async ({ page }) => {
  const miner = accountOf('miner-2')
  await install(page, miner)
  await open(page, `#/miner/${idle.miner}`)
  await connect(page)
  const card = page.getByRole('article', { name: `Machine ${idle.machine}` })
  const exiting = async () => (await bondOnChain(idle.machine)).exiting
  const request = async () => {
    await card.getByLabel('Amount in TAO').fill('0.1')
    await card.getByRole('button', { name: 'Request exit' }).click()
    await expect.poll(exiting).toBe(AMOUNT_RAO)
  }
  const { bonded, free } = await bondOnChain(idle.machine)
  await card.getByText('Deposit or take out bond').click()
  await request()
  await expect(card.getByText(`${tao(AMOUNT_RAO)} on its way out`)).toBeVisible({ timeout: 60_000 })
  await card.getByRole('button', { name: 'Cancel exit' }).click()
  await expect.poll(exiting).toBe(0n)
  expect((await bondOnChain(idle.machine)).free).toBe(free)
  await expect(card.getByText('on its way out, to be')).toBeHidden({ timeout: 60_000 })
  await request()
  // The button comes when chain time is there.
  await card.getByRole('button', { name: 'Withdraw exit' }).click({ timeout: 80_000 })
  await expect.poll(async () => (await bondOnChain(idle.machine)).bonded).toBe(bonded - AMOUNT_RAO)
  expect(await creditOnChain('vault', miner.address)).toBe(AMOUNT_RAO)
  const before = await chain.getBalance({ address: miner.address })
  await page.getByRole('button', { name: 'Withdraw credit from bonds' }).click({ timeout: 30_000 })
  await expect.poll(() => creditOnChain('vault', miner.address)).toBe(0n)
  expect(await chain.getBalance({ address: miner.address })).toBeGreaterThan(before)
})
