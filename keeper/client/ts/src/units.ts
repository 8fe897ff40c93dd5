/** Amounts and lengths of time, exactly. Money is whole rao as bigint; nothing here is a floating-point number. */

/** 1 rao = 1e9 wei: the chain's EVM counts in wei, its ledger and the contracts in rao. */
export const WEI_PER_RAO = 1_000_000_000n
/** 1 TAO = 1e9 rao. */
export const RAO_PER_TAO = 1_000_000_000n
const RAO_MAX = 2n ** 64n - 1n

/** Rao as wei, for the value of a transaction. */
export const raoToWei = (rao: bigint): bigint => rao * WEI_PER_RAO

/** Wei as whole rao; refuses what is not whole, which the chain would silently keep. */
export function weiToRao(wei: bigint): bigint {
  if (wei % WEI_PER_RAO !== 0n) throw new Error(`${wei} wei is not a whole number of rao; 1 rao is 1000000000 wei`)
  return wei / WEI_PER_RAO
}

const grouped = (digits: string): string => digits.replace(/\B(?=(\d{3})+$)/g, ',')

/** Rao as TAO: every digit, none too many. `1500000000n` is `1.5`. */
export function formatTao(rao: bigint): string {
  const sign = rao < 0n ? '-' : ''
  const size = rao < 0n ? -rao : rao
  const part = (size % RAO_PER_TAO).toString().padStart(9, '0').replace(/0+$/, '')
  return `${sign}${grouped((size / RAO_PER_TAO).toString())}${part ? `.${part}` : ''}`
}

/** Rao as TAO with at most `places` decimals, rounded half up: for columns, next to the exact figure. */
export function roundTao(rao: bigint, places: number): string {
  if (places >= 9) return formatTao(rao)
  const step = 10n ** BigInt(9 - places)
  const sign = rao < 0n ? '-' : ''
  const units = ((rao < 0n ? -rao : rao) + step / 2n) / step
  const digits = units.toString().padStart(places + 1, '0')
  const whole = grouped(digits.slice(0, digits.length - places))
  return places === 0 ? `${sign}${whole}` : `${sign}${whole}.${digits.slice(-places)}`
}

/** TAO as typed, as rao. Refuses signs, exponents, and more than nine decimals. */
export function parseTao(text: string): bigint {
  const match = /^(\d{1,11})(?:\.(\d{1,9}))?$/.exec(text.trim())
  if (!match) throw new Error('Write an amount of TAO as digits with at most nine decimals, such as 1.25.')
  const rao = BigInt(match[1] as string) * RAO_PER_TAO + BigInt((match[2] ?? '').padEnd(9, '0'))
  if (rao > RAO_MAX) throw new Error('That is more TAO than there will ever be.')
  return rao
}

const UNITS = { d: 86_400, h: 3_600, m: 60, s: 1 } as const

/** `2h30m` as seconds. Units: d, h, m, s, each at most once, the largest first. */
export function parseDuration(text: string): number {
  const match = /^(?:(\d{1,4})d)?\s*(?:(\d{1,6})h)?\s*(?:(\d{1,7})m)?\s*(?:(\d{1,8})s)?$/.exec(
    text.trim().toLowerCase(),
  )
  if (!match || text.trim() === '') throw new Error('Write a length of time such as 45m, 2h30m or 1d12h.')
  const [days, hours, minutes, secs] = match.slice(1).map((part) => Number(part ?? 0)) as [
    number,
    number,
    number,
    number,
  ]
  return days * UNITS.d + hours * UNITS.h + minutes * UNITS.m + secs
}

/** Seconds as `2h30m`: exact, so that `parseDuration` gives them back. */
export function formatDuration(secs: number): string {
  if (secs <= 0) return '0s'
  let rest = Math.floor(secs)
  let text = ''
  for (const [unit, size] of Object.entries(UNITS)) {
    const count = Math.floor(rest / size)
    rest -= count * size
    if (count > 0) text += `${count}${unit}`
  }
  return text
}

/** Parts of a million as per cent with two decimals, rounded down: 999,999 is not 100 %. */
export const formatPpm = (ppm: number): string =>
  ppm >= 1_000_000 ? '100 %' : `${Math.floor(ppm / 10_000)}.${String(Math.floor(ppm / 100) % 100).padStart(2, '0')} %`
