/** Rentals as a table: what was bought, what was served, what came back. */

import { paths, type Rental } from '@surety/client'
import type { ComponentChildren } from 'preact'
import { Empty } from './status.tsx'
import { Id, Span, Tao, Time } from './text.tsx'

interface RentalsProps {
  rentals: readonly Rental[]
  label: string
  /** Something about one rental, in a last column. */
  action?: (of: Rental) => ComponentChildren
}

function Row({ of, action }: { of: Rental; action?: RentalsProps['action'] }) {
  return (
    <tr>
      <td class="num">
        <a href={paths.rental(of.id)} target="_blank" rel="noopener" aria-label={`Rental ${of.id}, as the API has it`}>
          {of.id}
        </a>
      </td>
      <td>{of.state}</td>
      <td>
        <Id value={of.machine} view="machine" />
      </td>
      <td>
        {of.class_name} × <span class="num">{of.gpu_count}</span>
      </td>
      <td>
        <Time secs={of.start_secs} />
      </td>
      <td class="right">
        <Span secs={of.end_secs - of.start_secs} />
      </td>
      <td class="right">{of.faulted_secs === 0 ? '–' : <Span secs={of.faulted_secs} />}</td>
      <td class="right">
        <Tao rao={of.paid_rao} places={4} />
      </td>
      <td class="right">
        <Tao rao={of.refunded_rao + of.compensated_rao} places={4} />
      </td>
      {action ? <td>{action(of)}</td> : null}
    </tr>
  )
}

export function Rentals({ rentals, label, action }: RentalsProps) {
  if (rentals.length === 0) return <Empty>No rental yet.</Empty>
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable with the keyboard.
    <section class="scroll auto" tabIndex={0} aria-label={label}>
      <table>
        <thead>
          <tr>
            <th scope="col">Rental</th>
            <th scope="col">State</th>
            <th scope="col">Machine</th>
            <th scope="col">GPUs</th>
            <th scope="col">Start</th>
            <th scope="col" class="right">
              Length
            </th>
            <th scope="col" class="right">
              Faulted
            </th>
            <th scope="col" class="right">
              Paid
            </th>
            <th scope="col" class="right">
              Given back
            </th>
            {action ? <th scope="col">Actions</th> : null}
          </tr>
        </thead>
        <tbody>
          {rentals.map((of) => (
            <Row key={of.id} of={of} {...(action ? { action } : {})} />
          ))}
        </tbody>
      </table>
    </section>
  )
}
