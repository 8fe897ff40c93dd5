/** A small chart and the numbers behind it, which can be read as a table and saved. */

import { useState } from 'preact/hooks'
import { type Row, save, toCsv } from './download.ts'

export interface Point {
  /** What stands below it: a day, a time. */
  label: string
  /** Where it is drawn; the chart is a picture, so a float will do. */
  value: number
  /** The exact figure, as text. */
  text: string
  /** When, where the points are not evenly apart; any unit. */
  at?: number
}

interface ChartProps {
  title: string
  unit: string
  points: readonly Point[]
  kind?: 'bars' | 'steps'
  /** Name of the saved file, without its ending. */
  file: string
}

const WIDTH = 600
const HEIGHT = 140

const height = (value: number, most: number): string => (HEIGHT - (value / most) * (HEIGHT - 4)).toFixed(1)

function bars(points: readonly Point[], most: number): string {
  const step = WIDTH / points.length
  const gap = step > 4 ? 1 : 0.3
  const bar = (value: number, at: number) =>
    `M${(at * step).toFixed(1)} ${HEIGHT}V${height(value, most)}h${(step - gap).toFixed(1)}V${HEIGHT}z`
  return points.map((point, at) => (point.value > 0 ? bar(point.value, at) : '')).join('')
}

/** Each value holds until the next; the last one to the edge. */
function steps(points: readonly Point[], most: number): string {
  const times = points.map((point, index) => point.at ?? index)
  const [first = 0, last = 0] = [times[0], times.at(-1)]
  const x = (time: number) => (last === first ? 0 : ((time - first) / (last - first)) * (WIDTH - 6)).toFixed(1)
  const step = (point: Point, at: number) =>
    `${at === 0 ? 'M0 ' : `H${x(times[at] ?? 0)}V`}${height(point.value, most)}`
  return `${points.map(step).join('')}H${WIDTH}`
}

const SHAPES = { bars, steps } as const

function Numbers({ title, points, unit, file }: Omit<ChartProps, 'kind'>) {
  const [open, setOpen] = useState(false)
  const rows: Row[] = points.map((point) => ({ when: point.label, value: point.text.replaceAll(',', '') }))
  return (
    <details class="numbers" onToggle={(event) => setOpen((event.target as HTMLDetailsElement).open)}>
      <summary>Numbers</summary>
      <p>
        <button type="button" onClick={() => save(`${file}.csv`, 'text/csv', toCsv(rows))}>
          Save as CSV
        </button>{' '}
        <button type="button" onClick={() => save(`${file}.json`, 'application/json', JSON.stringify(rows, null, 1))}>
          Save as JSON
        </button>
      </p>
      {open ? (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable with the keyboard.
        <section class="scroll short" tabIndex={0} aria-label={`${title}: numbers, in ${unit}`}>
          <table>
            <thead>
              <tr>
                <th scope="col">When</th>
                <th scope="col" class="right">
                  {unit}
                </th>
              </tr>
            </thead>
            <tbody>
              {points.map((point, index) => (
                <tr key={index}>
                  <td class="num">{point.label}</td>
                  <td class="num right">{point.text}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      ) : null}
    </details>
  )
}

export function Chart({ title, unit, points, kind = 'bars', file }: ChartProps) {
  const most = Math.max(...points.map((point) => point.value), 0) || 1
  const highest = points.find((point) => point.value === most)
  const [first, last] = [points[0], points.at(-1)]
  if (!first || !last) return <p class="note">{title}: nothing yet.</p>
  const range = `${title}, ${first.label} to ${last.label}`
  const words = `${range}; last ${last.text} ${unit}, most ${highest?.text ?? 0} ${unit}`
  return (
    <figure class="chart">
      <figcaption>
        <strong>{title}</strong>
        <span class="num muted">
          last {last.text} {unit}
        </span>
      </figcaption>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={words} preserveAspectRatio="none">
        <path class={kind} d={SHAPES[kind](points, most)} />
      </svg>
      <div class="axis num muted">
        <span>{first.label}</span>
        <span>
          most {highest?.text ?? 0} {unit}
        </span>
        <span>{last.label}</span>
      </div>
      <Numbers title={title} points={points} unit={unit} file={file} />
    </figure>
  )
}
