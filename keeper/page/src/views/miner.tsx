/** A miner: bonds, offers, earnings, exits, cases and appeals. Whoever is the miner can act; anybody can look. */

import { type Case, formatTao, type Hex, type MinerPage, paths, type Rental } from '@surety/client'
import { useState } from 'preact/hooks'
import { usePath } from '../api/source.ts'
import { Act } from '../parts/act.tsx'
import { Cases } from '../parts/cases.tsx'
import { Chart } from '../parts/chart.tsx'
import { Credit } from '../parts/credit.tsx'
import { everyDay } from '../parts/days.ts'
import { Field } from '../parts/field.tsx'
import { Figures } from '../parts/figures.tsx'
import { isoDay } from '../parts/format.ts'
import { Rentals } from '../parts/rentals.tsx'
import { Source } from '../parts/source.tsx'
import { Empty, Loaded } from '../parts/status.tsx'
import { Id, Tao, Time } from '../parts/text.tsx'
import { href, route } from '../route.ts'
import { account } from '../wallet/session.ts'
import { MinerMachine } from './miner-machine.tsx'
import { escrowCall } from './renting.ts'

const NO_EVIDENCE = `0x${'00'.repeat(32)}`
/** Machines shown at once; each has forms of its own. */
const SHOWN_MAX = 50

function AppealForm({ of }: { of: Case }) {
  const [evidence, setEvidence] = useState('')
  const { appeal_bond_rao: bond, appealable_until_secs: until } = of
  if (bond === null || until === null) return null
  const digest = evidence.trim()
  const error = digest === '' || /^0x[0-9a-fA-F]{64}$/.test(digest) ? null : 'A digest is 0x and 64 hexadecimal digits.'
  const call = () => {
    if (error) throw new Error(error)
    const args = [BigInt(of.id), digest === '' ? NO_EVIDENCE : digest]
    return { contract: 'arbiter', name: 'appeal', args, valueRao: bond } as const
  }
  return (
    <details>
      <summary>Appeal case {of.id}</summary>
      <p>
        An appeal costs <Tao rao={bond} />, given back unless the judge upholds the case. It can be made until{' '}
        <Time secs={until} />.
      </p>
      <Field
        label="Digest of your evidence"
        value={evidence}
        onInput={setEvidence}
        error={error}
        hint="May be empty. It is passed on in the event; send the judge what it is the digest of."
      />
      <Act label={`Send appeal of case ${of.id}`} call={call} />
    </details>
  )
}

function rentalAction(of: Rental) {
  if (of.state === 'closed') return null
  const claim = <Act label={`Claim rental ${of.id}`} call={() => escrowCall('claim', of.id)} />
  if (of.state === 'ended') return <Act label={`Close rental ${of.id}`} call={() => escrowCall('close', of.id)} />
  return (
    <>
      {claim} <Act label={`Give up rental ${of.id}`} call={() => escrowCall('abandon', of.id)} />
    </>
  )
}

function Earnings({ page }: { page: MinerPage }) {
  const points = everyDay(page.days, { served_secs: 0, earned_rao: 0n }).map((day) => ({
    label: isoDay(day.day),
    value: Number(day.earned_rao),
    text: formatTao(day.earned_rao),
  }))
  return (
    <section aria-labelledby="earnings">
      <h2 id="earnings">Earnings</h2>
      <Figures
        of={[
          ['Bonded', <Tao rao={page.bonded_rao} />],
          ['Earned', <Tao rao={page.earned_rao} />],
          ['Of that, claimed', <Tao rao={page.claimed_rao} />],
          ['Penalties', <Tao rao={page.penalties_rao} />],
        ]}
      />
      <Chart title="Earned per day" unit="TAO" points={points} file={`earned-${page.miner}`} />
      <Source of="the earnings" api={[paths.miner(page.miner), paths.rentals({ miner: page.miner })]} />
    </section>
  )
}

function Page({ page, mine }: { page: MinerPage; mine: boolean }) {
  const more = page.machines.length - SHOWN_MAX
  return (
    <>
      <Earnings page={page} />
      <section aria-labelledby="machines">
        <h2 id="machines">Machines</h2>
        {page.machines.length === 0 ? <Empty>None is registered now.</Empty> : null}
        <div class="cards">
          {page.machines.slice(0, SHOWN_MAX).map((machine) => (
            <MinerMachine key={machine.registration} machine={machine} mine={mine} />
          ))}
        </div>
        {more > 0 ? (
          <p>
            {more} more: <a href={href('market', '', { miner: page.miner })}>all of them on the market</a>
          </p>
        ) : null}
      </section>
      <section aria-labelledby="rentals">
        <h2 id="rentals">Rentals</h2>
        <Rentals rentals={page.rentals} label="Rentals of this miner" {...(mine ? { action: rentalAction } : {})} />
      </section>
      <section aria-labelledby="cases">
        <h2 id="cases">Cases</h2>
        <Cases cases={page.cases} {...(mine ? { action: (of: Case) => <AppealForm of={of} /> } : {})} />
      </section>
    </>
  )
}

export function MinerView() {
  const asked = route.value.id.length === 42 ? (route.value.id as Hex) : null
  const miner = asked ?? account.value
  const polled = usePath<MinerPage>(miner ? paths.miner(miner) : null)
  if (!miner) {
    return (
      <>
        <h1>Miner</h1>
        <Empty>
          Connect a wallet to see its machines, or choose a miner on the <a href={href('market')}>market</a>.
        </Empty>
      </>
    )
  }
  const mine = account.value === miner
  return (
    <>
      <h1>
        Miner <Id value={miner} copy="Copy the miner's address" />
      </h1>
      {mine ? <p class="muted">This is you: bonds, offers and appeals can be changed here.</p> : null}
      <Loaded of={polled} what="The miner">
        {(page) => <Page page={page} mine={mine} />}
      </Loaded>
      {mine ? <Credit contracts={['escrow', 'vault', 'arbiter']} /> : null}
    </>
  )
}
