/** A rental with a wallet: rented, used, extended, lost, refunded, appealed; another one ended early. */

import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Page } from '@playwright/test'
import {
  accountOf,
  api,
  bondOnChain,
  chain,
  creditOnChain,
  early,
  type HouseMachine,
  house,
  lost,
  rentalOnChain,
  tao,
  view,
} from '../lib/house.ts'
import { hasSsh, homeFor, logIn, shell } from '../lib/ssh.ts'
import { expect, open, test } from '../lib/test.ts'
import { connect, install } from '../lib/wallet.ts'

test.describe.configure({ mode: 'serial' })

const renter = accountOf('renter-1')
const another = accountOf('renter-2')
const mine = renter.address.toLowerCase()
/** A case takes a few looks of keepers, their quorum, and the keeper's next reading of the market. */
const CASE_MS = 60_000

/** What the tests tell each other. */
const story = { rental: 0n, ended: 0n, caseId: 0, refund: 0n, ssh: { known: '', login: '' }, keyFile: '' }

interface ShownCase {
  id: number
  state: string
  rental: number | null
  withheld_rao: string
}

const form = (page: Page) => page.getByRole('form', { name: 'Rent this machine' })
/** The value of a figure by its label. */
const figure = (page: Page, label: string) =>
  page
    .locator('dl.figures > div')
    .filter({ has: page.locator('dt', { hasText: new RegExp(`^${label}$`) }) })
    .first()

async function rent(page: Page, of: HouseMachine, length: string): Promise<bigint> {
  await form(page).getByLabel('How long').fill(length)
  await form(page).getByRole('button', { name: 'Rent', exact: true }).click()
  const done = page.getByText(/^Rental \d+ is yours\./)
  await expect(done).toBeVisible({ timeout: 30_000 })
  const id = BigInt(/\d+/.exec((await done.textContent()) ?? '')?.[0] ?? 0)
  const [, , last] = await view<readonly [unknown, unknown, bigint]>('escrow', 'offerOf', [of.machine])
  expect(last, 'the rental that the page names is the one on chain').toBe(id)
  return id
}

test('before a wallet is asked, a rental shows its cost, the bond behind it and what is given back', async ({
  page,
}) => {
  const wallet = await install(page, renter)
  await open(page, `#/rent/${lost.machine}`)
  await connect(page)
  await form(page).getByLabel('How long').fill('20m')
  const [cost, bond] = await view<readonly [bigint, bigint]>('escrow', 'quote', [lost.machine, 1_200])
  await expect(figure(page, 'Cost')).toContainText(tao(cost))
  await expect(figure(page, 'Bond behind it')).toContainText(tao(bond))
  await expect(figure(page, 'Bond behind it')).not.toContainText('at least')
  await expect(
    page.getByText(/You can end the rental at any time and get back everything beyond its first 5s/),
  ).toBeVisible()
  await expect(page.getByText(/an outage of 6s ends the rental and gives back what was not used/)).toBeVisible()
  const [, needed] = await view<readonly [bigint, bigint]>('escrow', 'quote', [lost.machine, 3_600])
  expect((await bondOnChain(lost.machine)).free < needed, 'the bond does not carry an hour').toBe(true)
  const tooLong = form(page).getByText(/^The machine's free bond carries a rental of at most \d+m\d+s\.$/)
  await expect(tooLong).toHaveCount(0)
  await form(page).getByLabel('How long').fill('1h')
  await expect(tooLong).toBeVisible()
  expect(wallet.countOf('eth_sendTransaction')).toBe(0)
})

test('a renter rents with a key made in the browser, which is saved as a file and never sent', async ({
  page,
}, info) => {
  const wallet = await install(page, renter)
  const bodies: string[] = []
  page.on('request', (request) => bodies.push(`${decodeURIComponent(request.url())} ${request.postData() ?? ''}`))
  await open(page, `#/rent/${lost.machine}`)
  await connect(page)
  const download = page.waitForEvent('download')
  await form(page).getByRole('button', { name: 'Generate a key' }).click()
  const file = await download
  expect(file.suggestedFilename()).toBe('surety_ed25519')
  story.keyFile = info.outputPath('surety_ed25519')
  await file.saveAs(story.keyFile)
  const secret = readFileSync(story.keyFile, 'utf8')
  expect(secret).toMatch(/^-----BEGIN OPENSSH PRIVATE KEY-----\n/)
  const before = await chain.getBalance({ address: renter.address })
  story.rental = await rent(page, lost, '20m')
  const rental = await rentalOnChain(story.rental)
  expect(rental.renter.toLowerCase()).toBe(mine)
  expect(rental.boughtSecs).toBe(1_200)
  const paid = before - (await chain.getBalance({ address: renter.address }))
  expect(paid, 'at least the cost was paid').toBeGreaterThanOrEqual(BigInt(rental.price) * 1_200n * 1_000_000_000n)
  expect(wallet.sent).toHaveLength(1)
  const middle = secret.split('\n').slice(2, -2)
  const told = [...bodies, JSON.stringify(wallet.asked)].join('\n')
  for (const line of middle) expect(told.includes(line), 'a line of the private key left the page').toBe(false)
  const [known, login] = await page.locator('ol.ssh code').allTextContents()
  story.ssh = { known: known ?? '', login: login ?? '' }
  expect(story.ssh.login).toContain(`-p ${lost.endpoint.split(':')[1]} tenant@127.0.0.1`)
  // The downloads of a test are gone with its page: the next one needs the file.
  writeFileSync(join(info.project.outputDir, 'renter-key'), secret, { mode: 0o600 })
})

test('the commands that the page shows log in with the saved key, and only at the host key on chain', async ({
  browserName: _,
}, info) => {
  test.skip(!hasSsh(), 'no ssh here')
  const home = homeFor(info.outputPath('home'))
  const key = join(home, 'surety_ed25519')
  writeFileSync(key, readFileSync(join(info.project.outputDir, 'renter-key')), { mode: 0o600 })
  expect(statSync(key).mode & 0o777).toBe(0o600)
  expect((await shell(home, story.ssh.known)).code).toBe(0)
  const visit = logIn(home, story.ssh.login, 'echo let in')
  await expect.poll(async () => shell(home, visit), { timeout: 40_000 }).toMatchObject({ code: 0, out: 'let in\n' })
  const stranger = early.machine.slice(2)
  const blob = Buffer.concat([
    Buffer.from('0000000b7373682d6564323535313900000020', 'hex'),
    Buffer.from(stranger, 'hex'),
  ])
  const hosts = join(home, '.ssh', 'known_hosts')
  const pinned = readFileSync(hosts, 'utf8')
  writeFileSync(hosts, pinned.replace(/ssh-ed25519 \S+/, `ssh-ed25519 ${blob.toString('base64')}`))
  const refused = await shell(home, visit)
  expect(refused.code, 'another host key was taken').not.toBe(0)
  expect(refused.err).toMatch(/host key/i)
})

test('extending moves the end on chain by what was bought', async ({ page }) => {
  await install(page, renter)
  await open(page, '#/rentals')
  await connect(page)
  const card = page.getByRole('article', { name: `Rental ${story.rental}`, exact: true })
  await expect(card).toBeVisible({ timeout: 60_000 })
  const { end, price } = await rentalOnChain(story.rental)
  await card.getByLabel(`Extend rental ${story.rental} by`).fill('5m')
  await expect(card).toContainText(`Costs ${tao(BigInt(price) * 300n)}`)
  await card.getByRole('button', { name: `Extend rental ${story.rental}` }).click()
  await expect(card.getByText(/^Done, in block \d+\./)).toBeVisible({ timeout: 30_000 })
  expect((await rentalOnChain(story.rental)).end).toBe(end + 300)
})

test('an outage is seen: the rental ends, its case is shown and what was not used is credit at once', async ({
  page,
}) => {
  await install(page, renter)
  await open(page, '#/rentals')
  await connect(page)
  await expect(page.getByRole('article', { name: `Rental ${story.rental}`, exact: true })).toBeVisible()
  const before = await creditOnChain('escrow', renter.address)
  process.kill(lost.pid, 'SIGKILL')
  await expect
    .poll(async () => (await rentalOnChain(story.rental)).end <= Date.now() / 1_000, { timeout: CASE_MS })
    .toBe(true)
  const rental = await rentalOnChain(story.rental)
  story.refund = BigInt(rental.price) * BigInt(rental.boughtSecs - (rental.end - rental.start))
  expect((await creditOnChain('escrow', renter.address)) - before).toBe(story.refund)
  const row = page
    .getByRole('region', { name: 'Rentals that are over' })
    .getByRole('row')
    .filter({
      has: page.getByRole('link', { name: `Rental ${story.rental}, as the API has it` }),
    })
  await expect(row).toContainText('ended', { timeout: CASE_MS })
  await expect(page.getByText(`From rent and refunds: ${tao(before + story.refund)}`)).toBeVisible({ timeout: 30_000 })
  const { cases } = await api<{ cases: ShownCase[] }>(`/v1/cases?rental=${story.rental}`)
  story.caseId = cases[0]?.id ?? 0
  expect(story.caseId, 'the case is at the API').toBeGreaterThan(0)
  await open(page, `#/machine/${lost.machine}`)
  const title = page.getByRole('heading', { name: new RegExp(`^Case ${story.caseId}: Offline`) })
  await expect(title).toBeVisible()
  await expect(page.getByText(/rental \d+ went out of service and had not come back/).first()).toBeVisible()
})

test('the miner appeals the case within its window, and the page shows that it waits for the judge', async ({
  page,
}) => {
  const miner = accountOf('miner-1')
  await install(page, miner)
  await open(page, `#/miner/${lost.miner}`)
  await connect(page)
  const item = page.locator('li.case').filter({ has: page.locator(`#case-${story.caseId}`) })
  await item.getByText(`Appeal case ${story.caseId}`).click()
  const bond = await view<bigint>('arbiter', 'appealBondOf', [BigInt(story.caseId)])
  await expect(item).toContainText(`An appeal costs ${tao(bond)}`)
  await item.getByRole('button', { name: `Send appeal of case ${story.caseId}` }).click()
  const appealed = 2
  await expect
    .poll(async () => (await view<{ status: number }>('arbiter', 'caseAt', [BigInt(story.caseId)])).status, {
      timeout: 30_000,
    })
    .toBe(appealed)
  await expect(item.getByRole('heading')).toContainText('appealed', { timeout: CASE_MS })
  await expect(item).toContainText(/The miner appealed\. The judge has until .* UTC; silence upholds the case\./)
})

test('a refund is withdrawn with the wallet, and the account has it', async ({ page }) => {
  await install(page, renter)
  await open(page, '#/rentals')
  await connect(page)
  const credit = await creditOnChain('escrow', renter.address)
  expect(credit).toBeGreaterThanOrEqual(story.refund)
  const before = await chain.getBalance({ address: renter.address })
  await expect(page.getByText(`From rent and refunds: ${tao(credit)}`)).toBeVisible()
  await page.getByRole('button', { name: 'Withdraw credit from rent and refunds' }).click()
  await expect(page.getByText(/^From rent and refunds: 0 TAO/)).toBeVisible({ timeout: 30_000 })
  const gained = (await chain.getBalance({ address: renter.address })) - before
  const feeMax = 10n ** 16n
  expect(gained, 'the credit, less the fee').toBeGreaterThan(credit * 1_000_000_000n - feeMax)
})

test('what the contract refuses is said by name and in words before the wallet is asked', async ({
  page,
  elsewhere: late,
}) => {
  await install(page, another)
  await open(page, `#/rent/${early.machine}`)
  await connect(page)
  await form(page).getByRole('button', { name: 'Generate a key' }).click()
  story.ended = await rent(page, early, '10m')
  const wallet = await install(late, renter)
  await open(late, `#/rent/${early.machine}`)
  await connect(late)
  await form(late).getByRole('button', { name: 'Generate a key' }).click()
  await form(late).getByRole('button', { name: 'Rent', exact: true }).click()
  const said = form(late).getByRole('status').filter({ hasText: 'RentalEscrow_NotReady' })
  await expect(said).toContainText(/is rented, or resting after its last tenant\. It can be rented from .* UTC\./)
  expect(wallet.countOf('eth_sendTransaction')).toBe(0)
})

test('a rental that its renter ends early is refunded to the rao', async ({ page }) => {
  await install(page, another)
  await open(page, '#/rentals')
  await connect(page)
  const card = page.getByRole('article', { name: `Rental ${story.ended}`, exact: true })
  await expect(card).toBeVisible({ timeout: 60_000 })
  const before = await creditOnChain('escrow', another.address)
  await card.getByRole('button', { name: `End rental ${story.ended} now` }).click()
  await expect.poll(async () => (await rentalOnChain(story.ended)).end <= Date.now() / 1_000 + 2).toBe(true)
  const { price, start, end, boughtSecs } = await rentalOnChain(story.ended)
  const refund = BigInt(price) * BigInt(boughtSecs - (end - start))
  expect(end - start).toBeLessThan(600)
  expect((await creditOnChain('escrow', another.address)) - before).toBe(refund)
  await expect(page.getByText(`From rent and refunds: ${tao(before + refund)}`)).toBeVisible({ timeout: 30_000 })
  const row = page.getByRole('row').filter({
    has: page.getByRole('link', { name: `Rental ${story.ended}, as the API has it` }),
  })
  await expect(row.locator(`[title="${tao(refund)}"]`)).toBeVisible({ timeout: CASE_MS })
})

test('when the judge is silent the case is carried out and the withheld pay is the renter’s', async ({ page }) => {
  const { case: before } = await api<{ case: ShownCase }>(`/v1/cases/${story.caseId}`)
  expect(BigInt(before.withheld_rao)).toBeGreaterThan(0n)
  const executed = 3
  await expect
    .poll(async () => (await view<{ status: number }>('arbiter', 'caseAt', [BigInt(story.caseId)])).status, {
      timeout: 80_000,
    })
    .toBe(executed)
  expect(await creditOnChain('escrow', renter.address)).toBe(BigInt(before.withheld_rao))
  await open(page, `#/machine/${lost.machine}`)
  await expect(page.getByRole('heading', { name: `Case ${story.caseId}: Offline (executed)` })).toBeVisible({
    timeout: CASE_MS,
  })
})

test.afterAll(() => {
  try {
    process.kill(lost.pid, 'SIGCONT')
  } catch {
    // It is gone: the demo ends what is left.
  }
  expect(house.machines).toHaveLength(3)
})
