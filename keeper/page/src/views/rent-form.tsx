/** Renting one machine: length, key, cost, what stands behind it, and the button. */

import { useSignal } from '@preact/signals'
import { formatDuration, type MachinePage, type NetworkPage, type Offer } from '@surety/client'
import { useEffect, useState } from 'preact/hooks'
import { className, network, networkError, retryNetwork } from '../api/network.ts'
import { StepView } from '../parts/act.tsx'
import { AVAILABILITY_WORDS } from '../parts/availability.ts'
import { Field } from '../parts/field.tsx'
import { type Figure, Figures } from '../parts/figures.tsx'
import { KeyField, readKey } from '../parts/key-field.tsx'
import { Source } from '../parts/source.tsx'
import { Ssh } from '../parts/ssh.tsx'
import { Failed } from '../parts/status.tsx'
import { Tao } from '../parts/text.tsx'
import { href } from '../route.ts'
import { account, ready } from '../wallet/session.ts'
import { connection, loadCalls, type Step, transact } from '../wallet/transact.ts'
import { bondLacks, readLength, refundRule, rentCall } from './renting.ts'

/** An hour where the offer allows it: long enough to be of use, short enough to try. */
const firstLength = (offer: Offer): string =>
  formatDuration(Math.min(Math.max(3_600, offer.min_duration_secs), offer.max_duration_secs))

/** The bond a rental of this length must have, from the contract; null while there is no wallet to ask through. */
function useQuote(machine: string, secs: number | null): bigint | null {
  const [bond, setBond] = useState<bigint | null>(null)
  const asks = ready.value
  useEffect(() => {
    let gone = false
    const through = asks ? connection() : null
    setBond(null)
    if (through && secs !== null) {
      loadCalls()
        .then(({ read }) => read<readonly [bigint, bigint]>(through, 'escrow', 'quote', [machine, secs]))
        .then(
          ([, required]) => gone || setBond(required),
          // Without the contract's word, the class's bond is shown.
          () => undefined,
        )
    }
    return () => {
      gone = true
    }
  }, [asks, machine, secs])
  return bond
}

function Terms({ page, offer, net, secs }: { page: MachinePage; offer: Offer; net: NetworkPage; secs: number | null }) {
  const { machine } = page.machine
  const quoted = useQuote(machine, secs)
  const ofClass = net.classes.find((entry) => entry.gpu_class === offer.gpu_class)?.bond_rao ?? 0n
  const least = ofClass * BigInt(offer.gpu_count)
  const price = offer.price_rao_per_sec
  const { free_rao, stated_rao } = page.machine.bond
  const lacks = quoted === null || secs === null ? null : bondLacks(secs, quoted, free_rao + stated_rao, least)
  const figures: Figure[] = [
    ['Cost', secs === null ? '–' : <Tao rao={price * BigInt(secs)} />],
    ['Price per hour', <Tao rao={price * 3_600n} />],
    [
      'Bond behind it',
      quoted === null ? (
        <>
          at least <Tao rao={least} />
        </>
      ) : (
        <Tao rao={quoted} />
      ),
    ],
    ['Paid at least', <Tao rao={price * BigInt(offer.min_duration_secs)} />],
  ]
  return (
    <>
      <Figures of={figures} />
      {lacks === null ? null : (
        <p class="note warn" role="status">
          {lacks}
        </p>
      )}
      <p>{refundRule(offer, net.terms)}</p>
      <Source
        of="the cost and the bond"
        calls={[
          { contract: 'escrow', signature: 'quote(bytes32,uint32)(uint64,uint64)', args: [machine, secs ?? 3_600] },
          {
            contract: 'escrow',
            signature: 'offerOf(bytes32)((uint40,uint16,uint32,uint16,uint8,uint24,uint32),bytes32,uint64)',
            args: [machine],
          },
        ]}
      />
    </>
  )
}

function Done({ step, page }: { step: Step; page: MachinePage }) {
  // A trial has no hash. Logs can be missing on this chain, so a rental may be known by its transaction only.
  if (step.at !== 'done' || !step.hash) return null
  const { machine, endpoint } = page.machine
  return (
    <div class="note good">
      <p>
        {step.rental === null ? 'The rental' : `Rental ${step.rental}`} is yours. The machine lets you in within a few
        minutes; see <a href={href('rentals')}>your rentals</a>.
      </p>
      <Ssh machine={machine} endpoint={endpoint} />
    </div>
  )
}

function Form({ page, offer, net }: { page: MachinePage; offer: Offer; net: NetworkPage }) {
  const [length, setLength] = useState(firstLength(offer))
  const [line, setLine] = useState('')
  const step = useSignal<Step>({ at: 'idle' })
  const { secs, error } = readLength(length, offer)
  const { key } = readKey(line)
  const prepare = async () => {
    if (secs === null) throw new Error(error ?? 'Write how long.')
    if (key === null) throw new Error('Paste or generate an SSH key first.')
    return rentCall(net, { page, offer, secs, key })
  }
  const busy = step.value.at === 'busy'
  return (
    <form onSubmit={(event) => event.preventDefault()} aria-label="Rent this machine">
      <Field
        label="How long"
        value={length}
        onInput={setLength}
        error={error}
        hint={`Such as 2h30m; ${formatDuration(offer.min_duration_secs)} to ${formatDuration(offer.max_duration_secs)}`}
      />
      <KeyField line={line} onLine={setLine} />
      <Terms page={page} offer={offer} net={net} secs={secs} />
      {ready.value ? null : (
        <p class="note">{account.value ? 'Switch your wallet to the right network' : 'Connect a wallet'} to rent.</p>
      )}
      <p class="actions">
        <button type="button" disabled={busy || !ready.value} onClick={() => transact(step, prepare, true)}>
          Try without sending
        </button>
        <button type="button" class="primary" disabled={busy || !ready.value} onClick={() => transact(step, prepare)}>
          Rent
        </button>
      </p>
      <StepView step={step} />
      <Done step={step.value} page={page} />
    </form>
  )
}

export function RentForm({ page }: { page: MachinePage }) {
  const net = network.value
  const { offer, availability } = page.machine
  if (!net) {
    const error = networkError.value
    return error ? <Failed error={error} retry={retryNetwork} what="What renting needs" /> : null
  }
  const title = offer ? `Rent ${offer.gpu_count} × ${className(offer.gpu_class)}` : 'Rent'
  return (
    <section aria-labelledby="rent">
      <h2 id="rent">{title}</h2>
      {availability === 'free' ? null : <p class="note warn">{AVAILABILITY_WORDS[availability]}</p>}
      {offer ? <Form page={page} offer={offer} net={net} /> : null}
    </section>
  )
}
