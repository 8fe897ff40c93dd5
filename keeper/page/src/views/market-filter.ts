/** Which machines are shown, in which order; the URL's query says so. Pure: 5,000 machines must filter in 50 ms. */

import { type Availability, type Machine, parseTao } from '@surety/client'

export const SORTS = ['gpu_price', 'price', 'bond', 'uptime', 'gpus', 'verified', 'cases'] as const
export type Sort = (typeof SORTS)[number]

export interface Filter {
  class: string
  minGpus: string
  /** TAO an hour for the whole machine. */
  maxPrice: string
  availability: string
  verified: boolean
  /** Per cent. */
  minUptime: string
  miner: string
  sort: Sort
  descending: boolean
}

export function fromQuery(query: URLSearchParams): Filter {
  const sort = query.get('sort') as Sort | null
  return {
    class: query.get('class') ?? '',
    minGpus: query.get('min_gpus') ?? '',
    maxPrice: query.get('max_price') ?? '',
    availability: query.get('availability') ?? '',
    verified: query.get('verified') === 'true',
    minUptime: query.get('min_uptime') ?? '',
    miner: query.get('miner') ?? '',
    sort: sort && SORTS.includes(sort) ? sort : 'gpu_price',
    descending: query.get('order') === 'desc',
  }
}

/** Only what differs from the default, so that a plain market has a plain address. */
export function toQuery(filter: Filter): Record<string, string> {
  const all: Record<string, string> = {
    class: filter.class,
    min_gpus: filter.minGpus,
    max_price: filter.maxPrice,
    availability: filter.availability,
    verified: filter.verified ? 'true' : '',
    min_uptime: filter.minUptime,
    miner: filter.miner,
    sort: filter.sort === 'gpu_price' ? '' : filter.sort,
    order: filter.descending ? 'desc' : '',
  }
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== ''))
}

/** What was typed as an amount, in rao a second; null: nothing, or not yet an amount. */
function maxRaoPerSec(text: string): bigint | null {
  try {
    return text.trim() === '' ? null : parseTao(text) / 3_600n
  } catch {
    return null
  }
}

const wholeNumber = (text: string): number | null => (/^\d{1,9}(\.\d+)?$/.test(text.trim()) ? Number(text) : null)

function test(filter: Filter): (machine: Machine) => boolean {
  const gpuClass = wholeNumber(filter.class)
  const minGpus = wholeNumber(filter.minGpus)
  const maxPrice = maxRaoPerSec(filter.maxPrice)
  const minUptime = wholeNumber(filter.minUptime)
  const miner = filter.miner.trim().toLowerCase()
  const wanted = filter.availability as Availability | ''
  return ({ offer, ...machine }) =>
    (gpuClass === null || offer?.gpu_class === gpuClass) &&
    (minGpus === null || (offer?.gpu_count ?? 0) >= minGpus) &&
    (maxPrice === null || (offer !== null && offer.price_rao_per_sec <= maxPrice)) &&
    (wanted === '' || machine.availability === wanted) &&
    (!filter.verified || machine.verified_until_secs !== null) &&
    (minUptime === null || (machine.uptime_ppm ?? -1) >= minUptime * 10_000) &&
    (miner === '' || machine.miner.startsWith(miner) || machine.machine.startsWith(miner))
}

export const bonded = ({ bond }: Machine): bigint =>
  bond.free_rao + bond.reserved_rao + bond.held_rao + bond.exiting_rao + bond.stated_rao

/** A number to sort by; a float will do, since equal ones fall back to the registration. Null comes last. */
const RANK: Record<Sort, (machine: Machine) => number | null> = {
  gpu_price: ({ offer }) => (offer ? Number(offer.price_rao_per_sec) / offer.gpu_count : null),
  price: ({ offer }) => (offer ? Number(offer.price_rao_per_sec) : null),
  bond: (machine) => Number(bonded(machine)),
  uptime: (machine) => machine.uptime_ppm,
  gpus: ({ offer }) => offer?.gpu_count ?? null,
  verified: (machine) => machine.verified_until_secs,
  cases: ({ cases }) => cases.open + cases.executed,
}

export function choose(machines: readonly Machine[], filter: Filter): Machine[] {
  const fits = test(filter)
  const rank = RANK[filter.sort]
  const direction = filter.descending ? -1 : 1
  const ranked: { machine: Machine; by: number | null }[] = []
  for (const machine of machines) if (fits(machine)) ranked.push({ machine, by: rank(machine) })
  ranked.sort((a, b) => {
    if (a.by === b.by) return a.machine.registration - b.machine.registration
    if (a.by === null) return 1
    if (b.by === null) return -1
    return (a.by - b.by) * direction
  })
  return ranked.map(({ machine }) => machine)
}
