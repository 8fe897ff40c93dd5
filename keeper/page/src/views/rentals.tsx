/** The rentals of an account: the connected one, or the one in the address. */

import { type Hex, type MachinePage, parseDuration, paths, type Rental, type RentalPage } from '@surety/client'
import { useEffect, useState } from 'preact/hooks'
import { chainNow } from '../api/network.ts'
import { DETAIL_MS, usePath } from '../api/source.ts'
import { Act } from '../parts/act.tsx'
import { Credit } from '../parts/credit.tsx'
import { Field } from '../parts/field.tsx'
import { Figures } from '../parts/figures.tsx'
import { Rentals } from '../parts/rentals.tsx'
import { Source } from '../parts/source.tsx'
import { Ssh } from '../parts/ssh.tsx'
import { Empty, Loaded } from '../parts/status.tsx'
import { Id, Span, Tao, Time } from '../parts/text.tsx'
import { route, setQuery } from '../route.ts'
import type { LiveRental } from '../wallet/calls.ts'
import { account, ready } from '../wallet/session.ts'
import { connection, loadCalls } from '../wallet/transact.ts'
import { escrowCall, extendCall } from './renting.ts'

/** The rental as the contract has it; null while no wallet is there to ask through. */
function useLive(id: number): LiveRental | null {
  const [live, setLive] = useState<LiveRental | null>(null)
  const asks = ready.value
  useEffect(() => {
    let gone = false
    const look = async () => {
      const through = asks && !document.hidden ? connection() : null
      if (!through) return
      const { liveRental } = await loadCalls()
      await liveRental(through, id).then(
        (now) => gone || setLive(now),
        () => gone || setLive(null),
      )
    }
    look()
    const timer = setInterval(look, DETAIL_MS)
    return () => {
      gone = true
      clearInterval(timer)
    }
  }, [id, asks])
  return live
}

function Extend({ of }: { of: Rental }) {
  const [length, setLength] = useState('1h')
  let secs: number | null = null
  let error: string | null = null
  try {
    secs = parseDuration(length)
  } catch (problem) {
    error = (problem as Error).message
  }
  const call = () => {
    if (secs === null || secs === 0) throw new Error(error ?? 'Write by how much.')
    return extendCall(of.id, secs, of.price_rao_per_sec)
  }
  return (
    <div class="extend">
      <Field label={`Extend rental ${of.id} by`} value={length} onInput={setLength} error={error} />
      <p>Costs {secs === null ? '–' : <Tao rao={of.price_rao_per_sec * BigInt(secs)} />}, at the rental's own price.</p>
      <Act label={`Extend rental ${of.id}`} call={call} />
    </div>
  )
}

function Running({ of }: { of: Rental }) {
  const live = useLive(of.id)
  const machine = usePath<MachinePage>(paths.machine(of.machine))
  const end = live?.end ?? of.end_secs
  const earned = live?.earnedRao ?? null
  const mine = account.value === of.renter
  return (
    <article class="card" aria-label={`Rental ${of.id}`}>
      <h3>
        Rental {of.id}: {of.gpu_count} × {of.class_name} on <Id value={of.machine} view="machine" />
      </h3>
      <Figures
        of={[
          ['Ends', <Time secs={end} />],
          ['Left', <Span secs={Math.max(0, end - chainNow())} />],
          [
            'Earned by the miner',
            earned === null ? <span class="muted">not read from the contract</span> : <Tao rao={earned} />,
          ],
          ['Paid', <Tao rao={of.paid_rao} />],
          ['Without service', <Span secs={of.faulted_secs} />],
          ['Read from', live ? 'the contract, now' : "the keeper's last block"],
        ]}
      />
      <Source
        of={`rental ${of.id}`}
        api={[paths.rental(of.id)]}
        calls={[
          {
            contract: 'escrow',
            signature:
              'rentalAt(uint64)((address,uint40,uint32,uint16,bool,uint32,uint32,uint32,uint32,uint32,uint32,uint32,' +
              'uint16,uint8,uint8),bytes32)',
            args: [of.id],
          },
          { contract: 'escrow', signature: 'earnedOf(uint64)(uint64)', args: [of.id] },
        ]}
      />
      <Ssh machine={of.machine} endpoint={machine.data?.machine.endpoint ?? null} />
      <Extend of={of} />
      {mine ? (
        <div>
          <Act label={`End rental ${of.id} now`} call={() => escrowCall('end', of.id)} /> What you have not used becomes
          credit at once.
        </div>
      ) : null}
    </article>
  )
}

function AskWhose() {
  const [text, setText] = useState('')
  const isAddress = /^0x[0-9a-fA-F]{40}$/.test(text.trim())
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        if (isAddress) setQuery({ renter: text.trim().toLowerCase() })
      }}
    >
      <Empty>Connect a wallet to see its rentals, or look at those of any address.</Empty>
      <Field label="Renter's address" value={text} onInput={setText} hint="0x and 40 hexadecimal digits" />
      <button type="submit" disabled={!isAddress}>
        Show rentals
      </button>
    </form>
  )
}

const action = (of: Rental) =>
  of.state === 'ended' ? <Act label={`Close rental ${of.id}`} call={() => escrowCall('close', of.id)} /> : null

function Of({ renter }: { renter: Hex }) {
  const path = paths.rentals({ renter, limit: 200 })
  const polled = usePath<RentalPage>(path)
  return (
    <>
      <div>
        Of <Id value={renter} copy="Copy the renter's address" /> <Source of="the rentals" api={[path]} />
      </div>
      <Loaded of={polled} what="The rentals">
        {({ rentals }) => {
          const running = rentals.filter((rental) => rental.state === 'running')
          const others = rentals.filter((rental) => rental.state !== 'running')
          return (
            <>
              <section aria-labelledby="running">
                <h2 id="running">Running</h2>
                {running.length === 0 ? <Empty>None runs.</Empty> : null}
                {running.map((of) => (
                  <Running key={of.id} of={of} />
                ))}
              </section>
              <section aria-labelledby="over">
                <h2 id="over">Over</h2>
                <Rentals rentals={others} label="Rentals that are over" action={action} />
              </section>
            </>
          )
        }}
      </Loaded>
    </>
  )
}

export function RentalsView() {
  const asked = route.value.query.get('renter')?.toLowerCase() ?? ''
  const renter = /^0x[0-9a-f]{40}$/.test(asked) ? (asked as Hex) : account.value
  return (
    <>
      <h1>Rentals</h1>
      {renter ? <Of key={renter} renter={renter} /> : <AskWhose />}
      <Credit contracts={['escrow']} />
    </>
  )
}
