/** Offering a machine, as its miner. */

import { formatDuration, formatTao, type Machine, parseDuration, parseTao } from '@surety/client'
import { useState } from 'preact/hooks'
import { chainNow, network } from '../api/network.ts'
import { Act } from '../parts/act.tsx'
import { Field, Select } from '../parts/field.tsx'
import type { Call } from '../wallet/calls.ts'

/** Nobody wants an offer without an end; a month is renewed easily. */
const OFFER_DAYS = 30

interface Draft {
  gpuClass: string
  count: string
  /** TAO an hour for the whole machine. */
  price: string
  min: string
  max: string
  turnaround: string
  lasts: string
}

const draftOf = ({ offer }: Machine): Draft => ({
  gpuClass: String(offer?.gpu_class ?? network.value?.classes[0]?.gpu_class ?? ''),
  count: String(offer?.gpu_count ?? 8),
  price: offer ? formatTao(offer.price_rao_per_sec * 3_600n).replaceAll(',', '') : '',
  min: formatDuration(offer?.min_duration_secs ?? 600),
  max: formatDuration(offer?.max_duration_secs ?? 30 * 86_400),
  turnaround: formatDuration(offer?.turnaround_secs ?? 300),
  lasts: `${OFFER_DAYS}d`,
})

/** The contract counts rao a second: an hour's price is rounded down to whole ones. */
const perSecond = (price: string): bigint => parseTao(price) / 3_600n

function offerCall(machine: string, draft: Draft): Call {
  const price = perSecond(draft.price)
  if (price === 0n) throw new Error('The price must be at least one rao a second.')
  const count = Number(draft.count)
  if (!Number.isInteger(count) || count < 1 || count > 255) throw new Error('Write how many GPUs: 1 to 255.')
  const terms = {
    price,
    minDurationSecs: parseDuration(draft.min),
    maxDurationSecs: parseDuration(draft.max),
    gpuClass: Number(draft.gpuClass),
    gpuCount: count,
    turnaroundSecs: parseDuration(draft.turnaround),
    expiresAt: chainNow() + parseDuration(draft.lasts),
  }
  if (terms.minDurationSecs > 3_600) throw new Error('The shortest rental is at most 1h.')
  return { contract: 'escrow', name: 'offer', args: [machine, terms] }
}

function exactPrice(price: string): string {
  try {
    const rao = perSecond(price)
    return `${rao} rao a second, which is ${formatTao(rao * 3_600n)} TAO an hour`
  } catch {
    return 'For the whole machine'
  }
}

export function OfferForm({ machine }: { machine: Machine }) {
  const [draft, setDraft] = useState(draftOf(machine))
  const change = (part: Partial<Draft>) => setDraft({ ...draft, ...part })
  const classes = (network.value?.classes ?? []).filter((entry) => entry.bond_rao > 0n)
  return (
    <details>
      <summary>Offer it, or change the offer</summary>
      <div class="filters">
        <Select
          label="GPU class"
          value={draft.gpuClass}
          options={classes.map((entry) => [String(entry.gpu_class), entry.name] as const)}
          onInput={(gpuClass) => change({ gpuClass })}
        />
        <Field label="GPUs" inputMode="numeric" value={draft.count} onInput={(count) => change({ count })} />
        <Field
          label="Price, TAO per hour"
          inputMode="decimal"
          value={draft.price}
          onInput={(price) => change({ price })}
          hint={exactPrice(draft.price)}
        />
        <Field label="Shortest rental" value={draft.min} onInput={(min) => change({ min })} hint="At most 1h" />
        <Field label="Longest rental" value={draft.max} onInput={(max) => change({ max })} />
        <Field label="Pause after a rental" value={draft.turnaround} onInput={(turnaround) => change({ turnaround })} />
        <Field label="The offer lasts" value={draft.lasts} onInput={(lasts) => change({ lasts })} />
      </div>
      <Act label="Offer machine" call={() => offerCall(machine.machine, draft)} />{' '}
      {machine.offer ? (
        <Act
          label="Withdraw offer"
          call={() => ({ contract: 'escrow', name: 'withdrawOffer', args: [machine.machine] })}
        />
      ) : null}
    </details>
  )
}
