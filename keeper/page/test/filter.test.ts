import type { Machine } from '@surety/client'
import { withAmounts } from '@surety/client'
import { describe, expect, it } from 'vitest'
import { machine } from '../dev/fixtures.mjs'
import { bonded, choose, fromQuery, toQuery } from '../src/views/market-filter.ts'

const NOW = 1_800_000_000
const machines = Array.from({ length: 5_000 }, (_, n) => withAmounts<Machine>(machine(n, NOW)))
const by = (query: string) => choose(machines, fromQuery(new URLSearchParams(query)))

describe('the market', () => {
  it('shows everything without a filter, the cheapest card first and what is not offered last', () => {
    const all = by('')
    expect(all.length).toBe(5_000)
    expect(all.at(-1)?.offer).toBeNull()
    const each = all.flatMap(({ offer }) => (offer ? [Number(offer.price_rao_per_sec) / offer.gpu_count] : []))
    expect(each).toEqual([...each].sort((a, b) => a - b))
  })

  it('shows what fits every filter, and all of it', () => {
    const chosen = by('class=3&min_gpus=8&availability=free&verified=true&min_uptime=99&max_price=0.2')
    const fits = ({ offer, ...m }: Machine) =>
      offer?.gpu_class === 3 &&
      offer.gpu_count >= 8 &&
      m.availability === 'free' &&
      m.verified_until_secs !== null &&
      (m.uptime_ppm ?? 0) >= 990_000 &&
      offer.price_rao_per_sec * 3_600n <= 200_000_000n
    expect(chosen.length).toBeGreaterThan(0)
    expect(chosen.length).toBe(machines.filter(fits).length)
    expect(chosen.every(fits)).toBe(true)
  })

  it('finds the machines of a miner', () => {
    const { miner } = machines[0] as Machine
    expect(by(`miner=${miner}`).every((m) => m.miner === miner)).toBe(true)
    expect(by(`miner=${miner}`).length).toBeGreaterThan(40)
  })

  it('sorts by bond, the highest first', () => {
    const bonds = by('sort=bond&order=desc').map(bonded)
    expect(bonds).toEqual([...bonds].sort((a, b) => (a < b ? 1 : a > b ? -1 : 0)))
  })

  it('takes what was half typed, or nonsense, as no filter', () => {
    for (const query of ['max_price=1.', 'min_gpus=x', 'sort=nothing', 'min_uptime=']) {
      expect(by(query).length).toBe(5_000)
    }
  })

  it('keeps filters in the address and reads them back', () => {
    const text = 'class=3&min_gpus=8&max_price=0.2&availability=free&verified=true&min_uptime=99&sort=bond&order=desc'
    const filter = fromQuery(new URLSearchParams(text))
    expect(new URLSearchParams(toQuery(filter)).toString()).toBe(text)
    expect(toQuery(fromQuery(new URLSearchParams()))).toEqual({})
  })
})
