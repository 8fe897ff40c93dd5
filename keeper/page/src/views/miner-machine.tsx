/** One machine of a miner: its bond, and what its miner can do with it. */

import { type Machine, parseTao } from '@surety/client'
import { useState } from 'preact/hooks'
import { chainNow, network } from '../api/network.ts'
import { Act } from '../parts/act.tsx'
import { AVAILABILITY } from '../parts/availability.ts'
import { Field } from '../parts/field.tsx'
import { type Figure, Figures } from '../parts/figures.tsx'
import { Source } from '../parts/source.tsx'
import { Strip } from '../parts/strip.tsx'
import { Id, Tao, Time } from '../parts/text.tsx'
import type { Call } from '../wallet/calls.ts'
import { OfferForm } from './offer-form.tsx'

const vaultCall = (name: string, machine: string, ...rest: unknown[]): Call => ({
  contract: 'vault',
  name,
  args: [machine, ...rest],
})

function Exit({ machine: m }: { machine: Machine }) {
  const { exiting_rao: exiting, exit_ready_at_secs: readyAt } = m.bond
  if (exiting === 0n) return null
  const isReady = readyAt !== null && readyAt <= chainNow()
  return (
    <div>
      <Tao rao={exiting} /> on its way out{readyAt === null ? '' : ', to be withdrawn from '}
      {readyAt === null ? null : <Time secs={readyAt} />}.{' '}
      {isReady ? <Act label="Withdraw exit" call={() => vaultCall('withdraw', m.machine)} /> : null}{' '}
      <Act label="Cancel exit" call={() => vaultCall('cancelExit', m.machine)} />
    </div>
  )
}

function BondForm({ machine: m }: { machine: Machine }) {
  const [amount, setAmount] = useState('')
  let error: string | null = null
  try {
    if (amount !== '') parseTao(amount)
  } catch (problem) {
    error = (problem as Error).message
  }
  const deposit = (): Call => ({ ...vaultCall('deposit', m.machine), valueRao: parseTao(amount) })
  return (
    <details>
      <summary>Deposit or take out bond</summary>
      <Field label="Amount in TAO" inputMode="decimal" value={amount} onInput={setAmount} error={error} />
      <Act label="Deposit bond" call={deposit} />{' '}
      <Act label="Request exit" call={() => vaultCall('requestExit', m.machine, parseTao(amount))} />
      <p class="muted">A second request replaces the first and starts its delay anew.</p>
    </details>
  )
}

export function MinerMachine({ machine: m, mine }: { machine: Machine; mine: boolean }) {
  const figures: Figure[] = [
    ['State', AVAILABILITY[m.availability]],
    ['GPUs', m.offer ? `${m.offer.gpu_count} × ${m.class_name ?? m.offer.gpu_class}` : 'not offered'],
    ['Price per hour', m.offer ? <Tao rao={m.offer.price_rao_per_sec * 3_600n} /> : '–'],
    ['Bond, free', <Tao rao={m.bond.free_rao} />],
    ['Behind rentals', <Tao rao={m.bond.reserved_rao} />],
    ['In cases', <Tao rao={m.bond.held_rao} />],
    ['On its way out', <Tao rao={m.bond.exiting_rao} />],
    ['Uptime, 90 days', <Strip strip={m.strip} uptimePpm={m.uptime_ppm} />],
  ]
  return (
    <article class="card" aria-label={`Machine ${m.machine}`}>
      <h3>
        <Id value={m.machine} view="machine" />
      </h3>
      <Figures of={figures} />
      <Source
        of="this machine's bond"
        calls={[
          { contract: 'vault', signature: 'bondOf(bytes32)(uint64,uint64,uint64,uint64,uint64)', args: [m.machine] },
        ]}
      />
      {mine ? (
        <>
          <Exit machine={m} />
          <BondForm machine={m} />
          {network.value ? <OfferForm machine={m} /> : null}
        </>
      ) : null}
    </article>
  )
}
