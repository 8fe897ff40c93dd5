/** One machine: what it offers, how it did, every case with its evidence, what it cost. */

import {
  type Certificate,
  formatDuration,
  formatTao,
  type MachinePage,
  paths,
  type Signed,
  type SoftFigures,
} from '@surety/client'
import { className } from '../api/network.ts'
import { SLOW_MS, usePath } from '../api/source.ts'
import { AVAILABILITY_WORDS } from '../parts/availability.ts'
import { Cases } from '../parts/cases.tsx'
import { Chart } from '../parts/chart.tsx'
import { everyDay } from '../parts/days.ts'
import { Figures } from '../parts/figures.tsx'
import { isoDay, isoTime } from '../parts/format.ts'
import { Rentals } from '../parts/rentals.tsx'
import { Source } from '../parts/source.tsx'
import { Empty, Loaded } from '../parts/status.tsx'
import { Strip, stripWords } from '../parts/strip.tsx'
import { Id, Tao, Time } from '../parts/text.tsx'
import { href, route } from '../route.ts'
import { RentForm } from './rent-form.tsx'

const BOND_OF = 'bondOf(bytes32)(uint64,uint64,uint64,uint64,uint64)'
const OFFER_OF = 'offerOf(bytes32)((uint40,uint16,uint32,uint16,uint8,uint24,uint32),bytes32,uint64)'

function Overview({ page }: { page: MachinePage }) {
  const { machine: m } = page
  const { offer, bond } = m
  const elsewhere = bond.stated_rao > 0n ? ([['Bond elsewhere', <Tao rao={bond.stated_rao} />]] as const) : []
  return (
    <section aria-labelledby="overview">
      <h2 id="overview">Offer and bond</h2>
      <p>{AVAILABILITY_WORDS[m.availability]}</p>
      <Figures
        of={[
          ['GPUs', offer ? `${offer.gpu_count} × ${m.class_name ?? className(offer.gpu_class)}` : 'not offered'],
          ['Price per hour', offer ? <Tao rao={offer.price_rao_per_sec * 3_600n} /> : '–'],
          [
            'Per GPU hour',
            offer ? <Tao rao={(offer.price_rao_per_sec * 3_600n) / BigInt(offer.gpu_count)} places={6} /> : '–',
          ],
          [
            'Length',
            offer ? `${formatDuration(offer.min_duration_secs)} to ${formatDuration(offer.max_duration_secs)}` : '–',
          ],
          ['Offer lapses', offer ? <Time secs={offer.expires_at_secs} /> : '–'],
          ['Verified until', m.verified_until_secs === null ? 'not verified' : <Time secs={m.verified_until_secs} />],
          ['Bond, free', <Tao rao={bond.free_rao} />],
          ['Bond behind rentals', <Tao rao={bond.reserved_rao} />],
          ['Bond in cases', <Tao rao={bond.held_rao} />],
          ['Bond on its way out', <Tao rao={bond.exiting_rao} />],
          ...elsewhere,
          ['Miner', <Id value={m.miner} view="miner" copy="Copy the miner's address" />],
          ['Endpoint', <span class="mono">{m.endpoint ?? 'none'}</span>],
          ['Subnet uid', <span class="num">{m.uid}</span>],
        ]}
      />
      <Source
        of="the offer and the bond"
        api={[paths.machine(m.machine)]}
        calls={[
          { contract: 'vault', signature: BOND_OF, args: [m.machine] },
          { contract: 'escrow', signature: OFFER_OF, args: [m.machine] },
        ]}
      />
    </section>
  )
}

function Uptime({ page }: { page: MachinePage }) {
  const { machine: m, days } = page
  const points = everyDay(days, { rented_secs: 0, faulted_secs: 0 }).map((day) => {
    const served = day.rented_secs - day.faulted_secs
    return { label: isoDay(day.day), value: served / 3_600, text: (served / 3_600).toFixed(2) }
  })
  return (
    <section aria-labelledby="uptime">
      <h2 id="uptime">Uptime</h2>
      <p>{stripWords(m.strip, m.uptime_ppm)}.</p>
      <div class="wide-strip">
        <Strip strip={m.strip} uptimePpm={m.uptime_ppm} />
      </div>
      <p class="legend muted">
        <span class="key good" /> all served <span class="key bad" /> a part was not <span class="key idle" /> not
        rented
      </p>
      <Chart title="Hours served per day" unit="h" points={points} file={`served-${m.machine}`} />
      <Source of="the uptime" api={[paths.machine(m.machine), paths.cases({ machine: m.machine })]} />
    </section>
  )
}

function Prices({ page }: { page: MachinePage }) {
  const points = [...page.prices].reverse().map((point) => {
    const hourly = point.price_rao_per_sec * 3_600n
    return { label: isoTime(point.at_secs), value: Number(hourly), text: formatTao(hourly), at: point.at_secs }
  })
  return (
    <section aria-labelledby="prices">
      <h2 id="prices">Price history</h2>
      <Chart title="Price per hour" unit="TAO" kind="steps" points={points} file={`prices-${page.machine.machine}`} />
      <Source
        of="the prices"
        api={[paths.machine(page.machine.machine), paths.rentals({ machine: page.machine.machine })]}
      />
    </section>
  )
}

function Certificates({ machine }: { machine: string }) {
  const polled = usePath<{ certificates: Signed<Certificate>[] }>(paths.certificates(machine), SLOW_MS)
  return (
    <section aria-labelledby="certificates">
      <h2 id="certificates">Certificates of this keeper</h2>
      <Loaded of={polled} what="The certificates">
        {({ certificates }) =>
          certificates.length === 0 ? (
            <Empty>This keeper has not measured the machine, or not lately.</Empty>
          ) : (
            <ul class="plain">
              {certificates.slice(0, 20).map(({ statement: s, signer, signature }) => (
                <li key={signature}>
                  {s.gpu_count} × {className(s.gpu_class)} measured <Time secs={s.measured_at_secs} />, signed by{' '}
                  <Id value={signer} />:{' '}
                  <a class="mono" href={paths.evidence(s.evidence)} target="_blank" rel="noopener">
                    evidence
                  </a>
                </li>
              ))}
            </ul>
          )
        }
      </Loaded>
      <Source of="the certificates" api={[paths.certificates(machine)]} />
    </section>
  )
}

const UNITS: readonly (readonly [RegExp, string])[] = [
  [/_kb_per_sec$/, 'kB/s'],
  [/_per_sec$/, 'per second'],
  [/_mib$/, 'MiB'],
  [/_khz_\w+$/, 'kHz'],
  [/_us$/, 'µs'],
]

function Soft({ machine }: { machine: string }) {
  const polled = usePath<SoftFigures>(paths.figures(machine), SLOW_MS)
  if (!polled.data) return null
  const { figures, measured_at_secs } = polled.data
  const rows = Object.entries(figures).filter(([, value]) => typeof value === 'number')
  return (
    <section aria-labelledby="soft">
      <h2 id="soft">What else it has</h2>
      <p>
        Measured modestly by this keeper, <Time secs={measured_at_secs} />; nobody proves it, and it earns or costs
        nothing.
      </p>
      <Figures
        of={rows.map(([name, value]) => {
          const unit = UNITS.find(([pattern]) => pattern.test(name))
          const label = (unit ? name.replace(/_(kb_per_sec|per_sec|mib|us)$/, '') : name).replaceAll('_', ' ')
          return [label, <span class="num">{`${Number(value).toLocaleString('en')} ${unit?.[1] ?? ''}`}</span>] as const
        })}
      />
      <Source of="these figures" api={[paths.figures(machine)]} />
    </section>
  )
}

function History({ page }: { page: MachinePage }) {
  return (
    <section aria-labelledby="history">
      <h2 id="history">History</h2>
      <Rentals rentals={page.rentals} label="Rentals of this machine" />
      <h3>Registrations</h3>
      <ul class="plain">
        {page.registrations.map((entry) => (
          <li key={entry.registration}>
            <span class="num">{entry.registration}</span>, by <Id value={entry.miner} view="miner" />
            {entry.retired ? ', over' : ', current'}
          </li>
        ))}
      </ul>
      <Source of="the history" api={[paths.rentals({ machine: page.machine.machine })]} />
    </section>
  )
}

export function MachineView() {
  const { id, view } = route.value
  const polled = usePath<MachinePage>(id.length === 66 ? paths.machine(id) : null)
  if (id.length !== 66) {
    return (
      <Empty>
        That is no machine. <a href={href('market')}>All machines</a>
      </Empty>
    )
  }
  return (
    <>
      <h1>
        Machine <Id value={id as `0x${string}`} copy="Copy the machine's key" />
      </h1>
      <Loaded of={polled} what="The machine">
        {(page) => (
          <>
            <p class="muted">
              Block <span class="num">{page.at.block}</span>, <Time secs={page.at.at_secs} />
            </p>
            <div class={view === 'rent' ? 'rent-first' : 'columns'}>
              <RentForm page={page} />
              <Overview page={page} />
            </div>
            <Uptime page={page} />
            <section aria-labelledby="cases">
              <h2 id="cases">Cases</h2>
              <Cases cases={page.cases} />
            </section>
            <Prices page={page} />
            <Certificates machine={id} />
            <Soft machine={id} />
            <History page={page} />
          </>
        )}
      </Loaded>
    </>
  )
}
