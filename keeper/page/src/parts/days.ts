/** Days without anything are left out of answers; a chart needs every one, else its axis lies. */

/** From the first day to the last, at most a year, each with its entry or `empty`. */
export function everyDay<T extends { day: number }>(days: readonly T[], empty: Omit<T, 'day'>): T[] {
  const last = days.at(-1)?.day
  if (last === undefined) return []
  const first = Math.max(days[0]?.day ?? last, last - 365)
  const known = new Map(days.map((entry) => [entry.day, entry]))
  const fill = (day: number) => known.get(day) ?? ({ ...empty, day } as T)
  return Array.from({ length: last - first + 1 }, (_, index) => fill(first + index))
}
