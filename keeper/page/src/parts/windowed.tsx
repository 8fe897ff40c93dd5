/**
 * A table of thousands of rows of one height, of which only those in sight exist.
 *
 * Its roles are written out: where rows are cards, their `display` would take them away. It scrolls, so it takes focus.
 */

import type { ComponentChildren } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'

interface WindowedProps<T> {
  label: string
  columns: readonly { key: string; title: string; short?: string; right?: boolean }[]
  rows: readonly T[]
  keyOf: (row: T) => string
  /** The cells of a row, in the order of the columns. */
  cells: (row: T) => readonly ComponentChildren[]
}

/** As `--row` in the style: wide, and narrow where a row is a card. */
const HEIGHTS = { wide: 44, narrow: 140 }
const NARROW = '(max-width: 720px)'
/** Rows beyond the edges, so that scrolling shows no gaps. */
const BEYOND = 6

function useRowHeight(): number {
  const [narrow, setNarrow] = useState(matchMedia(NARROW).matches)
  useEffect(() => {
    const query = matchMedia(NARROW)
    const change = () => setNarrow(query.matches)
    query.addEventListener('change', change)
    return () => query.removeEventListener('change', change)
  }, [])
  return narrow ? HEIGHTS.narrow : HEIGHTS.wide
}

export function Windowed<T>({ label, columns, rows, keyOf, cells }: WindowedProps<T>) {
  const box = useRef<HTMLElement>(null)
  const [top, setTop] = useState(0)
  const height = useRowHeight()
  const seen = Math.ceil((box.current?.clientHeight ?? 700) / height)
  const furthest = Math.max(0, rows.length - seen)
  const first = Math.max(0, Math.min(Math.floor(top / height), furthest) - BEYOND)
  const shown = rows.slice(first, first + seen + 2 * BEYOND)
  const after = Math.max(0, rows.length - first - shown.length)
  return (
    <section
      ref={box}
      class="scroll"
      tabIndex={0}
      aria-label={label}
      onScroll={(e) => setTop(e.currentTarget.scrollTop)}
    >
      <table class="windowed" role="table" aria-label={label} aria-rowcount={rows.length + 1}>
        <thead role="rowgroup">
          <tr role="row" aria-rowindex={1}>
            {columns.map((column) => (
              <th key={column.key} role="columnheader" scope="col" class={column.right ? 'right' : ''}>
                {column.title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody role="rowgroup">
          <tr aria-hidden="true" class="gap" style={{ height: `${first * height}px` }} />
          {shown.map((row, index) => (
            <tr key={keyOf(row)} role="row" aria-rowindex={first + index + 2}>
              {cells(row).map((cell, at) => (
                <td
                  key={columns[at]?.key}
                  role="cell"
                  data-label={columns[at]?.short ?? columns[at]?.title}
                  class={`c-${columns[at]?.key}${columns[at]?.right ? ' right' : ''}`}
                >
                  {cell}
                </td>
              ))}
            </tr>
          ))}
          <tr aria-hidden="true" class="gap" style={{ height: `${after * height}px` }} />
        </tbody>
      </table>
    </section>
  )
}
