/** Times and identities as short text. */

/** Both ends of a long identity: enough to tell two apart, not to trust. */
export const shortHex = (value: string): string =>
  value.length > 16 ? `${value.slice(0, 8)}…${value.slice(-4)}` : value

/** Unix seconds as UTC, to the minute. */
export const isoTime = (secs: number): string => new Date(secs * 1_000).toISOString().slice(0, 16).replace('T', ' ')

/** Days since 1970 as a date. */
export const isoDay = (day: number): string => new Date(day * 86_400_000).toISOString().slice(0, 10)

/** Text of a stranger, cut, with a mark for every character that is not seen: controls, and what turns text round. */
export const strangersText = (text: string, most: number): string =>
  text.slice(0, most).replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '\u{fffd}')
