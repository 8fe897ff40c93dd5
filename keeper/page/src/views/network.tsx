/** The network: what renters paid, apart from emissions; what machines did; who watches. */

import {
  type Class,
  formatTao,
  type Keeper,
  type NetworkDay,
  type NetworkDays,
  type NetworkPage,
  paths,
} from '@surety/client'
import { network, networkError, retryNetwork } from '../api/network.ts'
import { api, SLOW_MS, usePolled } from '../api/source.ts'
import { Chart } from '../parts/chart.tsx'
import { everyDay } from '../parts/days.ts'
import { Figures } from '../parts/figures.tsx'
import { isoDay } from '../parts/format.ts'
import { Source } from '../parts/source.tsx'
import { Empty, Loaded } from '../parts/status.tsx'
import { Id, OutLink, Tao, Time } from '../parts/text.tsx'
import { href } from '../route.ts'
import { chainName } from '../wallet/chains.ts'

const count = (value: number): string => value.toLocaleString('en')
const hours = (secs: number): string => count(Math.floor(secs / 3_600))
const percent = (part: number, whole: number): string => (whole === 0 ? '–' : `${Math.round((100 * part) / whole)} %`)

function Totals({ page }: { page: NetworkPage }) {
  const t = page.totals
  return (
    <section aria-labelledby="totals">
      <h2 id="totals">Since the beginning</h2>
      <Figures
        of={[
          ['Paid by renters for time served', <Tao rao={t.revenue_rao} places={3} />],
          ['Given back to renters', <Tao rao={t.refunded_rao} places={3} />],
          ['Rentals', <span class="num">{count(t.rentals)}</span>],
          ['Hours served', <span class="num">{hours(t.served_secs)}</span>],
          ['GPU hours served', <span class="num">{hours(t.served_gpu_secs)}</span>],
          ['Renters with a rental now', <span class="num">{count(t.active_renters)}</span>],
          ['Machines rented of offered', <span class="num">{`${count(t.rented)} of ${count(t.offered)}`}</span>],
          ['Machines, miners', <span class="num">{`${count(t.machines)}, ${count(t.miners)}`}</span>],
          ['Bonded', <Tao rao={t.bonded_rao} places={3} />],
          ['Cases', <span class="num">{count(t.cases)}</span>],
          ['Penalties not decided', <Tao rao={t.penalties_open_rao} places={3} />],
          ['Penalties burned', <Tao rao={t.penalties_executed_rao} places={3} />],
        ]}
      />
      <p class="muted">Revenue is what renters paid and nothing else: no emissions are in it.</p>
      <Source
        of="the totals"
        api={[paths.network()]}
        calls={[
          { contract: 'escrow', signature: 'rentalCount()(uint64)', args: [] },
          { contract: 'arbiter', signature: 'caseCount()(uint64)', args: [] },
          { contract: 'vault', signature: 'owedToMiners()(uint64)', args: [] },
        ]}
      />
    </section>
  )
}

function ClassRow({ of }: { of: Class }) {
  return (
    <tr>
      <th scope="row">
        <a href={href('market', '', { class: String(of.gpu_class) })}>{of.name}</a>
      </th>
      <td class="right num">{count(of.machines)}</td>
      <td class="right num">{count(of.gpus)}</td>
      <td>
        <meter min={0} max={Math.max(of.gpus, 1)} value={of.gpus_rented} aria-label={`${of.name}: GPUs rented`} />{' '}
        <span class="num">{percent(of.gpus_rented, of.gpus)}</span>
      </td>
      <td class="right">
        {of.from_rao_per_sec === null ? '–' : <Tao rao={of.from_rao_per_sec * 3_600n} places={5} />}
      </td>
      <td class="right">{of.bond_rao === 0n ? 'not on the market' : <Tao rao={of.bond_rao} />}</td>
    </tr>
  )
}

function Classes({ classes }: { classes: readonly Class[] }) {
  return (
    <section aria-labelledby="classes">
      <h2 id="classes">Utilisation by class</h2>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable with the keyboard. */}
      <section class="scroll auto" tabIndex={0} aria-label="GPU classes">
        <table>
          <thead>
            <tr>
              <th scope="col">Class</th>
              <th scope="col" class="right">
                Machines
              </th>
              <th scope="col" class="right">
                GPUs
              </th>
              <th scope="col">Rented</th>
              <th scope="col" class="right">
                From, GPU hour
              </th>
              <th scope="col" class="right">
                Bond per GPU
              </th>
            </tr>
          </thead>
          <tbody>
            {classes.map((entry) => (
              <ClassRow key={entry.gpu_class} of={entry} />
            ))}
          </tbody>
        </table>
      </section>
      <Source of="the classes" api={[paths.network()]} />
    </section>
  )
}

type Series = readonly [title: string, unit: string, file: string, value: (day: NetworkDay) => bigint | number]

const SERIES: readonly Series[] = [
  ['Revenue from renters', 'TAO', 'revenue', (day) => day.revenue_rao],
  ['Rentals begun', 'rentals', 'rentals', (day) => day.rentals],
  ['Renters with a rental', 'renters', 'renters', (day) => day.renters],
  ['Hours rented', 'h', 'hours', (day) => Math.floor(day.rented_secs / 3_600)],
  ['GPU hours rented', 'h', 'gpu-hours', (day) => Math.floor(day.rented_gpu_secs / 3_600)],
  ['Penalties filed', 'TAO', 'penalties', (day) => day.penalties_rao],
  ['Cases filed', 'cases', 'cases', (day) => day.cases],
]

const NOTHING: Omit<NetworkDay, 'day'> = {
  rentals: 0,
  renters: 0,
  rented_secs: 0,
  served_secs: 0,
  rented_gpu_secs: 0,
  revenue_rao: 0n,
  penalties_rao: 0n,
  cases: 0,
}

function Days({ days: known }: { days: readonly NetworkDay[] }) {
  const days = everyDay(known, NOTHING)
  if (days.length === 0) return <Empty>Nothing was rented yet.</Empty>
  return (
    <>
      <div class="charts">
        {SERIES.map(([title, unit, file, value]) => {
          const points = days.map((day) => {
            const amount = value(day)
            const text = typeof amount === 'bigint' ? formatTao(amount) : count(amount)
            return { label: isoDay(day.day), value: Number(amount), text }
          })
          return <Chart key={file} title={title} unit={unit} points={points} file={`surety-${file}`} />
        })}
      </div>
      <p>
        <a href={paths.daysCsv()} download>
          All days as CSV
        </a>
        ,{' '}
        <a href={paths.days()} target="_blank" rel="noopener">
          as JSON
        </a>
        . Penalties are of the day of filing, without cases that were dismissed.
      </p>
    </>
  )
}

function KeeperRow({ of, total }: { of: Keeper; total: bigint }) {
  return (
    <tr>
      <td>
        <Id value={of.account} />
      </td>
      <td class="right num">{of.weight.toLocaleString('en')}</td>
      <td class="right num">{of.active ? percent(Number(of.weight), Number(total)) : '–'}</td>
      <td>{of.active ? 'active' : 'silent'}</td>
      <td>
        <OutLink url={of.url} />
      </td>
    </tr>
  )
}

function Keepers({ keepers }: { keepers: readonly Keeper[] }) {
  const total = keepers.filter((keeper) => keeper.active).reduce((sum, keeper) => sum + keeper.weight, 0n)
  return (
    <section aria-labelledby="keepers">
      <h2 id="keepers">Keepers</h2>
      <p>A quorum is at least two of them, with two thirds of the weight, and not by one heavy keeper alone.</p>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable with the keyboard. */}
      <section class="scroll auto" tabIndex={0} aria-label="List of keepers">
        <table>
          <thead>
            <tr>
              <th scope="col">Keeper</th>
              <th scope="col" class="right">
                Weight
              </th>
              <th scope="col" class="right">
                Share
              </th>
              <th scope="col">State</th>
              <th scope="col">Its API, as it says</th>
            </tr>
          </thead>
          <tbody>
            {keepers.map((keeper) => (
              <KeeperRow key={keeper.account} of={keeper} total={total} />
            ))}
          </tbody>
        </table>
      </section>
      <Source
        of="the keepers"
        api={[paths.network()]}
        calls={[
          { contract: 'keepers', signature: 'keeperCount()(uint256)', args: [] },
          { contract: 'keepers', signature: 'keeperAt(uint256)((address,uint64,bool,bytes32,string))', args: [0] },
        ]}
      />
    </section>
  )
}

function Contracts({ page }: { page: NetworkPage }) {
  return (
    <section aria-labelledby="contracts">
      <h2 id="contracts">Contracts</h2>
      <p>
        On {chainName(page.chain_id)} (chain {page.chain_id}), subnet {page.netuid}.
      </p>
      <ul class="plain">
        {Object.entries(page.contracts).map(([name, address]) => (
          <li key={name}>
            {name}: <span class="mono wrap">{address}</span>
          </li>
        ))}
      </ul>
    </section>
  )
}

export function NetworkView() {
  const days = usePolled('days', () => api.get<NetworkDays>(paths.days()), SLOW_MS)
  const page = { data: network.value, error: networkError.value, cameAt: Date.now(), retry: retryNetwork }
  return (
    <>
      <h1>Network</h1>
      <Loaded of={page} what="The network">
        {(net) => (
          <>
            <p class="muted">
              Block <span class="num">{net.at.block}</span>, <Time secs={net.at.at_secs} />
            </p>
            <Totals page={net} />
            <section aria-labelledby="days">
              <h2 id="days">Day by day</h2>
              <Loaded of={days} what="The days">
                {(answer) => <Days days={answer.days} />}
              </Loaded>
            </section>
            <Classes classes={net.classes} />
            <Keepers keepers={net.keepers} />
            <Contracts page={net} />
          </>
        )}
      </Loaded>
    </>
  )
}
