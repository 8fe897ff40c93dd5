import { type Case, generateKey, type Offer, type Terms, withAmounts } from '@surety/client'
import { describe, expect, it } from 'vitest'
import { machine, oneCase } from '../dev/fixtures.mjs'
import { caseSentences } from '../src/parts/case-words.ts'
import { everyDay } from '../src/parts/days.ts'
import { toCsv } from '../src/parts/download.ts'
import { sshCommands } from '../src/parts/ssh-commands.ts'
import { stripPaths, stripWords } from '../src/parts/strip.tsx'
import { bondLacks, readLength, refundRule } from '../src/views/renting.ts'

const NOW = 1_800_000_000

describe('a case', () => {
  const all = Array.from({ length: 24 }, (_, id) => withAmounts<Case>(oneCase(id, machine(0, NOW), NOW)))

  it('is explained in whole sentences, whatever its kind, cause and state', () => {
    for (const of of all) {
      const text = caseSentences(of).join(' ')
      expect(text).not.toMatch(/undefined|null|NaN|\.\.|\s{2}/)
      for (const sentence of caseSentences(of)) expect(sentence).toMatch(/^[A-Z].*\.$/)
    }
  })

  it('names no pay where none was withheld', () => {
    const spoofed = all.find((of) => of.kind === 'spoofed' && of.state === 'refunded_appealed') as Case
    expect(caseSentences(spoofed).join(' ')).not.toMatch(/withheld pay/)
  })
})

describe('an uptime strip', () => {
  it('is as high as what was served', () => {
    expect(stripPaths('.-90')).toEqual({ idle: 'M2.75 18v-3', good: 'M4.75 18v-18', bad: 'M6.75 18v-3' })
  })

  it('is told in words', () => {
    expect(stripWords('.-990', 750_000)).toBe('Uptime in 90 days: 75.00 %; rented on 3 days, 1 with a recorded fault')
    expect(stripWords('..-', null)).toBe('Uptime in 90 days: not rented')
  })
})

describe('ssh commands', () => {
  it('expect the host key that is on chain', async () => {
    const { key, publicLine } = await generateKey('')
    const at = (endpoint: string) => sshCommands(key, endpoint)
    expect(at('192.0.2.7:2222')).toEqual({
      known: `echo '[192.0.2.7]:2222 ${publicLine}' >> ~/.ssh/known_hosts`,
      login: 'ssh -i surety_ed25519 -o StrictHostKeyChecking=yes -p 2222 tenant@192.0.2.7',
    })
    expect(at('192.0.2.7:22')?.known).toContain("echo '192.0.2.7 ssh-ed25519")
    expect(at('[2001:db8::1]:22')?.login).toContain('tenant@2001:db8::1')
  })

  it('are not made of anything but an address and a port', () => {
    for (const endpoint of ['', '192.0.2.7', '192.0.2.7:22; rm -rf ~', '$(id):22', 'host:22', "1.1.1.1':22"]) {
      expect(sshCommands(`0x${'ab'.repeat(32)}`, endpoint)).toBeNull()
    }
  })
})

describe('saved numbers', () => {
  it('are CSV, without formulas', () => {
    expect(toCsv([{ a: '=1+1', b: 'x,"y"', c: -3 }])).toBe('a,b,c\r\n\'=1+1,"x,""y""",-3\r\n')
  })

  it('have every day, and two weeks at least', () => {
    const days = everyDay(
      [
        { day: 103, n: 1 },
        { day: 106, n: 2 },
      ],
      { n: 0 },
    )
    expect(days.map(({ n }) => n)).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 2])
    expect(days.map(({ day }) => day)).toEqual(Array.from({ length: 14 }, (_, index) => 93 + index))
    const old = Array.from({ length: 500 }, (_, day) => ({ day, n: 1 }))
    expect(everyDay(old, { n: 0 })).toHaveLength(366)
    expect(everyDay<{ day: number; n: number }>([], { n: 0 })).toEqual([])
  })
})

describe('renting', () => {
  const offer = withAmounts<Offer>(machine(0, NOW).offer)

  it('refuses lengths that the offer does not allow', () => {
    expect(readLength('2h30m', offer)).toEqual({ secs: 9_000, error: null })
    expect(readLength('5m', offer).error).toBe('At least 10m, at most 30d.')
    expect(readLength('soon', offer).error).toMatch(/Write a length/)
  })

  it('names the longest rental that the free bond carries, which the contract takes and a second more not', () => {
    const [price, free, floor] = [1_002_222n, 379_733_360n, 100_000n]
    // `requiredBond` of the contracts: a share of the cost, rounded up, and at least the class's bond.
    const needed = (secs: number) => {
      const byCost = (price * BigInt(secs) * 2_000n + 9_999n) / 10_000n
      return byCost < floor ? floor : byCost
    }
    const said = bondLacks(3_600, needed(3_600), free, floor)
    expect(said).toBe("The machine's free bond carries a rental of at most 31m34s.")
    const longest = 31 * 60 + 34
    expect(needed(longest) <= free && needed(longest + 1) > free).toBe(true)
    expect(bondLacks(longest, needed(longest), free, floor)).toBeNull()
    expect(bondLacks(60, floor, floor - 1n, floor)).toMatch(/too little free bond/)
  })

  it('has its refund rule in one sentence', () => {
    const rule = refundRule(offer, { min_offline_secs: 900 } as Terms)
    expect(rule).toMatch(/^You can end .*10m; .*15m .*\.$/)
    expect(rule.match(/\./g)?.length).toBe(1)
  })
})
