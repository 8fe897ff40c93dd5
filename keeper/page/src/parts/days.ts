/** Days without anything are left out of answers; a chart needs every one, else its axis lies. */

/** With fewer, one day would be a wall and not a bar. */
const DAYS_LEAST = 14

/** From the first day to the last, two weeks at least and a year at most, each with its entry or `empty`. */
export function everyDay<T extends { day: number }>(days: readonly T[], empty: Omit<T, 'day'>): T[] {
  const last = days.at(-1)?.day
  if (last === undefined) return []
  const first = Math.max(Math.min(days[0]?.day ?? last, last + 1 - DAYS_LEAST), last - 365)
  const known = new Map(days.map((entry) => [entry.day, entry]))
  const fill = (day: number) => known.get(day) ?? ({ ...empty, day } as T)
  return Array.from({ length: last - first + 1 }, (_, index) => fill(first + index))
}
