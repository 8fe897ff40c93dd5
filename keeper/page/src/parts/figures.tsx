/** Figures as a definition list. */

import type { ComponentChildren } from 'preact'

export type Figure = readonly [label: string, value: ComponentChildren]

export function Figures({ of }: { of: readonly Figure[] }) {
  return (
    <dl class="figures">
      {of.map(([label, value]) => (
        <div key={label}>
          <dt>{label}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  )
}
