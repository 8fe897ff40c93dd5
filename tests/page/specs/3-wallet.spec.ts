/** Wallets that say no, wallets elsewhere, and endpoints that do not answer. */

import type { Page } from '@playwright/test'
import { accountOf, house, idle } from '../lib/house.ts'
import { expect, open, test } from '../lib/test.ts'
import { connect, install } from '../lib/wallet.ts'

const renter = accountOf('renter-2')
const form = (page: Page) => page.getByRole('form', { name: 'Rent this machine' })

test('a wallet that declines (4001) is told calmly, and nothing is sent', async ({ page }) => {
  const wallet = await install(page, renter)
  wallet.declines = true
  await open(page, `#/rent/${idle.machine}`)
  await connect(page)
  await form(page).getByLabel('How long').fill('5m')
  await form(page).getByRole('button', { name: 'Generate a key' }).click()
  await form(page).getByRole('button', { name: 'Rent', exact: true }).click()
  const said = page.getByText('You declined in your wallet. Nothing was sent.')
  await expect(said).toBeVisible()
  await expect(page.locator('.step.calm')).toContainText('You declined')
  await expect(page.locator('.step.failed')).toHaveCount(0)
  expect(wallet.countOf('eth_sendTransaction')).toBe(1)
  expect(wallet.sent).toEqual([])
  await expect(form(page).getByRole('button', { name: 'Rent', exact: true })).toBeEnabled()
})

test('a wallet on another network is told so, and offered to switch, with the chain described', async ({ page }) => {
  const wallet = await install(page, renter)
  wallet.chainId = 964
  wallet.knows.clear()
  wallet.knows.add(964)
  await open(page, `#/rent/${idle.machine}`)
  await connect(page)
  await expect(page.getByRole('alert')).toContainText(
    'Your wallet is on Bittensor. These contracts are on Local chain.',
  )
  await expect(form(page).getByRole('button', { name: 'Rent', exact: true })).toBeDisabled()
  await page.getByRole('button', { name: 'Switch to Local chain' }).click()
  await expect(page.getByRole('alert')).toHaveCount(0)
  await expect(form(page).getByRole('button', { name: 'Rent', exact: true })).toBeEnabled()
  const chainId = `0x${house.chain_id.toString(16)}`
  const asked = wallet.asked.filter(({ method }) => method.startsWith('wallet_'))
  const [switched, added, again] = asked
  expect(asked).toHaveLength(3)
  expect(switched).toEqual({ method: 'wallet_switchEthereumChain', params: [{ chainId }] })
  expect(added?.method).toBe('wallet_addEthereumChain')
  const [described] = (added?.params ?? []) as { rpcUrls: string[] }[]
  const nativeCurrency = { name: 'TAO', symbol: 'TAO', decimals: 18 }
  expect(described).toMatchObject({ chainId, chainName: 'Local chain', nativeCurrency })
  for (const url of described?.rpcUrls ?? []) expect(url).toMatch(/^https?:/)
  expect(again).toEqual(switched)
  expect(wallet.countOf('eth_sendTransaction')).toBe(0)
})

test('with its endpoint down a wallet reads nothing, which is told, and the page stays usable from the API', async ({
  page,
}) => {
  const wallet = await install(page, renter)
  // A port that nothing listens at.
  wallet.rpc = 'http://127.0.0.1:9'
  await open(page, '#/rentals')
  await connect(page)
  await expect(page.getByText('From rent and refunds: not known')).toBeVisible()
  await expect(page.getByRole('region', { name: 'Rentals that are over' })).toBeVisible()
  await open(page, `#/rent/${idle.machine}`)
  await expect(form(page).getByText(/^at least [0-9.]+ TAO$/)).toBeVisible()
  await form(page).getByLabel('How long').fill('5m')
  await form(page).getByRole('button', { name: 'Generate a key' }).click()
  await form(page).getByRole('button', { name: 'Rent', exact: true }).click()
  await expect(page.locator('.step.failed')).toContainText('The RPC endpoint cannot be reached. Try again.')
  expect(wallet.sent).toEqual([])
  await open(page, '#/network')
  await expect(page.getByRole('heading', { name: 'Since the beginning' })).toBeVisible()
})

test('with the API down what was shown stays and is marked as old, and what was never read is told', async ({
  page,
  watch,
}) => {
  await open(page, `#/machine/${idle.machine}`)
  watch.allow(/^console: Failed to load resource/)
  await page.route('**/v1/**', (route) => route.abort())
  await expect(
    page.getByText(/The keeper does not answer \(no connection\)\. What follows is from \d\d:\d\d:\d\d UTC/).first(),
  ).toBeVisible()
  await expect(page.getByRole('heading', { name: 'Offer and bond' })).toBeVisible()
  await page.getByRole('link', { name: 'Market', exact: true }).click()
  await expect(page.getByRole('alert')).toContainText('The market cannot be read: no connection')
  await page.unroute('**/v1/**')
  await page.getByRole('button', { name: 'Try again' }).click()
  await expect(page.getByText(/^3 of 3 machines/)).toBeVisible()
})
