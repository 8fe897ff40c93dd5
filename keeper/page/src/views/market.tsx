/** All machines, filtered here: the whole market is fetched once, and every filter answers at once. */

import { type Machine, type MarketPage, paths } from '@surety/client'
import { useMemo } from 'preact/hooks'
import { chainNow, network } from '../api/network.ts'
import { api, MARKET_MS, usePolled } from '../api/source.ts'
import { AVAILABILITY } from '../parts/availability.ts'
import { type Row, save, toCsv } from '../parts/download.ts'
import { Field, Select } from '../parts/field.tsx'
import { isoTime } from '../parts/format.ts'
import { Source } from '../parts/source.tsx'
import { Empty, Loaded } from '../parts/status.tsx'
import { Strip } from '../parts/strip.tsx'
import { Id, Tao } from '../parts/text.tsx'
import { Windowed } from '../parts/windowed.tsx'
import { href, route, setQuery } from '../route.ts'
import { bonded, choose, type Filter, fromQuery, type Sort, toQuery } from './market-filter.ts'

const HOUR = 3_600n

const COLUMNS = [
  { key: 'class', title: 'Class' },
  { key: 'gpus', title: 'GPUs', right: true },
  { key: 'price', title: 'TAO / hour', short: 'TAO/h', right: true },
  { key: 'gpu', title: 'TAO / GPU hour', short: 'per GPU', right: true },
  { key: 'bond', title: 'Bond', right: true },
  { key: 'verified', title: 'Verified until', short: 'until' },
  { key: 'uptime', title: 'Uptime, 90 days' },
  { key: 'cases', title: 'Cases', right: true },
  { key: 'state', title: 'State' },
  { key: 'machine', title: 'Machine' },
] as const

const SORTS: readonly (readonly [Sort, string])[] = [
  ['gpu_price', 'Price per GPU'],
  ['price', 'Price'],
  ['bond', 'Bond'],
  ['uptime', 'Uptime'],
  ['gpus', 'GPUs'],
  ['verified', 'Verified until'],
  ['cases', 'Cases'],
]

function Verified({ until }: { until: number | null }) {
  if (until === null) return <span class="muted">no</span>
  const hours = Math.max(0, Math.floor((until - chainNow()) / 3_600))
  return (
    <span class="num" title={`${isoTime(until)} UTC`}>
      {isoTime(until).slice(5)} <span class="muted hours">({hours} h)</span>
    </span>
  )
}

function cells(machine: Machine) {
  const { offer, cases } = machine
  const upheld = cases.open + cases.executed
  return [
    machine.class_name ?? <span class="muted">none</span>,
    <span class="num">{offer?.gpu_count ?? '–'}</span>,
    offer ? <Tao rao={offer.price_rao_per_sec * HOUR} places={4} /> : '–',
    offer ? <Tao rao={(offer.price_rao_per_sec * HOUR) / BigInt(offer.gpu_count)} places={5} /> : '–',
    <Tao rao={bonded(machine)} places={3} />,
    <Verified until={machine.verified_until_secs} />,
    <Strip strip={machine.strip} uptimePpm={machine.uptime_ppm} />,
    <span class="num" title={`${cases.open} open, ${cases.executed} executed, ${cases.dismissed} dismissed`}>
      {upheld}
    </span>,
    <span class={`state ${machine.availability}`}>{AVAILABILITY[machine.availability]}</span>,
    <Id value={machine.machine} view="machine" />,
  ]
}

const asRow = (machine: Machine): Row => ({
  machine: machine.machine,
  miner: machine.miner,
  class: machine.class_name ?? '',
  gpus: machine.offer?.gpu_count ?? '',
  price_rao_per_sec: String(machine.offer?.price_rao_per_sec ?? ''),
  bond_rao: String(bonded(machine)),
  verified_until_secs: machine.verified_until_secs ?? '',
  uptime_ppm: machine.uptime_ppm ?? '',
  cases_open: machine.cases.open,
  cases_executed: machine.cases.executed,
  availability: machine.availability,
})

function Check({ label, on, set }: { label: string; on: boolean; set: (on: boolean) => void }) {
  return (
    <label>
      <input type="checkbox" checked={on} onInput={() => set(!on)} /> {label}
    </label>
  )
}

function Filters({ filter }: { filter: Filter }) {
  const change = (part: Partial<Filter>) => setQuery(toQuery({ ...filter, ...part }))
  const classes = (network.value?.classes ?? []).map((entry) => [String(entry.gpu_class), entry.name] as const)
  return (
    <form class="filters" aria-label="Filters" onSubmit={(event) => event.preventDefault()}>
      <Select
        label="Class"
        value={filter.class}
        options={[['', 'any'], ...classes]}
        onInput={(value) => change({ class: value })}
      />
      <Select
        label="State"
        value={filter.availability}
        options={[['', 'any'], ...Object.entries(AVAILABILITY)]}
        onInput={(value) => change({ availability: value })}
      />
      <Field
        label="GPUs, at least"
        inputMode="numeric"
        value={filter.minGpus}
        onInput={(minGpus) => change({ minGpus })}
      />
      <Field
        label="TAO/hour, at most"
        inputMode="decimal"
        value={filter.maxPrice}
        onInput={(maxPrice) => change({ maxPrice })}
      />
      <Field
        label="Uptime %, at least"
        inputMode="decimal"
        value={filter.minUptime}
        onInput={(minUptime) => change({ minUptime })}
      />
      <Field label="Miner or machine" value={filter.miner} onInput={(miner) => change({ miner })} />
      <Select label="Sort by" value={filter.sort} options={SORTS} onInput={(sort) => change({ sort: sort as Sort })} />
      <div class="checks">
        <Check label="verified now" on={filter.verified} set={(verified) => change({ verified })} />
        <Check label="highest first" on={filter.descending} set={(descending) => change({ descending })} />
      </div>
    </form>
  )
}

function Machines({ page, filter }: { page: MarketPage; filter: Filter }) {
  const key = JSON.stringify(filter)
  const chosen = useMemo(() => {
    performance.mark('filter-start')
    const machines = choose(page.machines, filter)
    performance.measure('filter', 'filter-start')
    return machines
  }, [page, key])
  return (
    <>
      <div class="bar">
        <p role="status">
          <strong class="num">{chosen.length.toLocaleString('en')}</strong> of{' '}
          <span class="num">{page.total.toLocaleString('en')}</span> machines, block{' '}
          <span class="num">{page.at.block}</span>
        </p>
        <button type="button" onClick={() => save('machines.csv', 'text/csv', toCsv(chosen.map(asRow)))}>
          Save as CSV
        </button>
        <Source of="the market" api={[paths.market({ limit: 1_000 })]} />
      </div>
      {chosen.length === 0 ? (
        <Empty>
          No machine fits. <a href={href('market')}>Show all</a>
        </Empty>
      ) : (
        <Windowed label="Machines" columns={COLUMNS} rows={chosen} keyOf={(machine) => machine.machine} cells={cells} />
      )}
    </>
  )
}

export function Market() {
  const market = usePolled('market', () => api.market(), MARKET_MS)
  const filter = fromQuery(route.value.query)
  return (
    <>
      <h1>Market</h1>
      <Filters filter={filter} />
      <Loaded of={market} what="The market">
        {(page) => <Machines page={page} filter={filter} />}
      </Loaded>
    </>
  )
}
