/** 90 days of a machine, a bar each: how high says how much of what was bought was served. */

import { formatPpm } from '@surety/client'

const WIDTH = 2
const HEIGHT = 18

/** One path per colour instead of a rectangle per day: a list shows many strips. */
export function stripPaths(strip: string): { idle: string; good: string; bad: string } {
  const paths = { idle: '', good: '', bad: '' }
  for (const [day, letter] of [...strip.slice(-90)].entries()) {
    const bar = (height: number) => `M${day * WIDTH + 0.75} ${HEIGHT}v${-height}`
    if (letter === '-') paths.idle += bar(3)
    else if (letter === '9') paths.good += bar(HEIGHT)
    else if (letter >= '0' && letter <= '8') paths.bad += bar(3 + Math.round((Number(letter) * (HEIGHT - 5)) / 9))
  }
  return paths
}

/** The same in words. */
export function stripWords(strip: string, uptimePpm: number | null): string {
  const days = [...strip]
  const rented = days.filter((letter) => letter >= '0' && letter <= '9').length
  const faulty = days.filter((letter) => letter >= '0' && letter <= '8').length
  if (uptimePpm === null) return 'Uptime in 90 days: not rented'
  const faults = faulty === 0 ? 'no day with a recorded fault' : `${faulty} with a recorded fault`
  return `Uptime in 90 days: ${formatPpm(uptimePpm)}; rented on ${rented} days, ${faults}`
}

export function Strip({ strip, uptimePpm }: { strip: string; uptimePpm: number | null }) {
  const paths = stripPaths(strip)
  const words = stripWords(strip, uptimePpm)
  return (
    <svg class="strip" viewBox={`0 0 ${90 * WIDTH} ${HEIGHT}`} role="img" aria-label={words}>
      <title>{words}</title>
      <path class="idle" d={paths.idle} />
      <path class="good" d={paths.good} />
      <path class="bad" d={paths.bad} />
    </svg>
  )
}
