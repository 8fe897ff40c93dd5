/** The read API of one keeper. */

import { type Bounds, fetchJson, UnreachableError } from './fetching.ts'
import {
  type Attestation,
  type CasePage,
  type Certificate,
  type MachinePage,
  type MarketPage,
  type MinerPage,
  type NetworkDays,
  type NetworkPage,
  type OneCase,
  type OneRental,
  type RentalPage,
  type Signed,
  type SoftFigures,
  type Spoof,
  withAmounts,
} from './wire.ts'

/** A page of 1,000 machines is about 1 MB. */
const BOUNDS: Bounds = { timeoutMs: 15_000, bytesMax: 16 * 1024 * 1024 }
/** The server's own longest page of `/v1/market`. */
export const MARKET_PAGE_MAX = 1_000
/** Most machines that are ever fetched. */
const MACHINES_MAX = 20_000

export type Query = Record<string, string | number | boolean | undefined>

/** What each path answers. */
export interface Answers {
  network: NetworkPage
  days: NetworkDays
  machine: MachinePage
  miner: MinerPage
  rentals: RentalPage
  rental: OneRental
  cases: CasePage
  case: OneCase
  certificates: { certificates: Signed<Certificate>[] }
  attestations: { attestations: Signed<Attestation>[] }
  spoofs: { spoofs: Signed<Spoof>[] }
  figures: SoftFigures
}

const withQuery = (path: string, query: Query = {}): string => {
  const given = Object.entries(query).filter(([, value]) => value !== undefined)
  const text = new URLSearchParams(given.map(([key, value]) => [key, String(value)])).toString()
  return text ? `${path}?${text}` : path
}

/** Paths of the API, so that a figure can name the call behind it. */
export const paths = {
  network: () => '/v1/network',
  days: () => '/v1/network/days',
  daysCsv: () => '/v1/network/days.csv',
  market: (query?: Query) => withQuery('/v1/market', query),
  machine: (machine: string) => `/v1/machines/${machine}`,
  miner: (account: string) => `/v1/miners/${account}`,
  rentals: (query?: Query) => withQuery('/v1/rentals', query),
  rental: (id: number) => `/v1/rentals/${id}`,
  cases: (query?: Query) => withQuery('/v1/cases', query),
  case: (id: number) => `/v1/cases/${id}`,
  certificates: (machine: string) => `/v1/certificates/${machine}`,
  attestations: (rental: number) => `/v1/attestations/${rental}`,
  spoofs: (machine: string) => `/v1/spoofs/${machine}`,
  figures: (machine: string) => `/v1/figures/${machine}`,
  evidence: (digest: string) => `/evidence/${digest}`,
} as const

export class ReadApi {
  /** The newest answer of each path, for servers that say "the same". Bounded: the oldest goes. */
  private readonly seen = new Map<string, { etag: string; value: unknown }>()

  /** `base`: the keeper's URL without a slash at its end; empty: where the page came from. */
  constructor(
    readonly base = '',
    private readonly bounds: Bounds = BOUNDS,
  ) {}

  /** Asks for one path. The answer is the very same object as long as the server says that nothing changed. */
  async get<T>(path: string): Promise<T> {
    const last = this.seen.get(path)
    const answer = await fetchJson(this.base + path, this.bounds, last?.etag)
    if (answer.json === null) {
      if (last) return last.value as T
      throw new UnreachableError('the server says "not modified" to a first question')
    }
    const value = withAmounts<T>(answer.json)
    this.seen.delete(path)
    if (answer.etag) this.seen.set(path, { etag: answer.etag, value })
    if (this.seen.size > 32) this.seen.delete(this.seen.keys().next().value as string)
    return value
  }

  /** Every machine, page by page, in the order of their registration, so that a page that moves skips none. */
  async market(): Promise<MarketPage> {
    let page = await this.marketPage(0)
    const machines = [...page.machines]
    while (page.next_offset !== null && machines.length < MACHINES_MAX) {
      page = await this.marketPage(page.next_offset)
      machines.push(...page.machines)
    }
    return { ...page, machines }
  }

  private marketPage(offset: number): Promise<MarketPage> {
    const query = { sort: 'registration', order: 'asc', offset, limit: MARKET_PAGE_MAX }
    return this.get<MarketPage>(paths.market(query))
  }
}
