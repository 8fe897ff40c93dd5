import { describe, expect, it } from 'vitest'
import {
  formatDuration,
  formatPpm,
  formatTao,
  parseDuration,
  parseTao,
  raoToWei,
  roundTao,
  weiToRao,
  withAmounts,
} from '../src/index.ts'

describe('amounts', () => {
  it('are written exactly and read back', () => {
    const amounts: [bigint, string][] = [
      [0n, '0'],
      [1n, '0.000000001'],
      [1_500_000_000n, '1.5'],
      [21_000_000_000_000_000n, '21,000,000'],
      [2n ** 64n - 1n, '18,446,744,073.709551615'],
      [-1n, '-0.000000001'],
    ]
    for (const [rao, text] of amounts) {
      expect(formatTao(rao)).toBe(text)
      if (rao >= 0n) expect(parseTao(text.replaceAll(',', ''))).toBe(rao)
    }
  })

  it('are rounded half up, for columns only', () => {
    expect(roundTao(1_234_567_890n, 4)).toBe('1.2346')
    expect(roundTao(999_999_999n, 2)).toBe('1.00')
    expect(roundTao(1_499_999_999n, 0)).toBe('1')
    expect(roundTao(1n, 9)).toBe('0.000000001')
  })

  it('refuse what is not an amount', () => {
    for (const text of ['', '1.', '.5', '-1', '1e3', '1.0000000001', '0x10', '1,000', '999999999999', '18446744074']) {
      expect(() => parseTao(text)).toThrow()
    }
  })

  it('are wei only where whole', () => {
    expect(raoToWei(3n)).toBe(3_000_000_000n)
    expect(weiToRao(3_000_000_000n)).toBe(3n)
    expect(() => weiToRao(3_000_000_001n)).toThrow(/whole number of rao/)
  })

  it('become bigint wherever they are in an answer', () => {
    const answer = { paid_rao: '18446744073709551615', list: [{ price_rao_per_sec: '5', from_rao_per_sec: null }] }
    expect(withAmounts(answer)).toEqual({
      paid_rao: 18_446_744_073_709_551_615n,
      list: [{ price_rao_per_sec: 5n, from_rao_per_sec: null }],
    })
    expect(() => withAmounts({ paid_rao: '-1' })).toThrow(/paid_rao/)
  })
})

describe('lengths of time', () => {
  it('are read and written', () => {
    const lengths: [string, number][] = [
      ['2h30m', 9_000],
      ['45s', 45],
      ['1d', 86_400],
      ['1d2h3m4s', 93_784],
    ]
    for (const [text, secs] of lengths) {
      expect(parseDuration(text)).toBe(secs)
      expect(formatDuration(secs)).toBe(text)
    }
    expect(parseDuration(' 1D 2h ')).toBe(93_600)
    expect(formatDuration(0)).toBe('0s')
  })

  it('refuse bare numbers and wrong orders', () => {
    for (const text of ['', '90', '30m2h', '2h2h', '-1h', '1.5h', 'soon']) expect(() => parseDuration(text)).toThrow()
  })

  it('per cent are rounded down', () => {
    expect(formatPpm(1_000_000)).toBe('100 %')
    expect(formatPpm(999_999)).toBe('99.99 %')
    expect(formatPpm(0)).toBe('0.00 %')
  })
})
