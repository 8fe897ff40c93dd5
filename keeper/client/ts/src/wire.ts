/**
 * What the read API answers: the shapes of `keeper/market/src/wire.rs`, whose comments say what each field means.
 * Amounts are decimal strings on the wire and bigint here; every field that ends in `_rao` or `_rao_per_sec` is one,
 * and so is `weight`.
 */

export type Hex = `0x${string}`
export type Rao = bigint

export interface At {
  block: number
  hash: Hex
  at_secs: number
}

export type Availability = 'free' | 'rented' | 'resting' | 'unverified' | 'underbonded' | 'not_offered'

export interface Bond {
  free_rao: Rao
  reserved_rao: Rao
  held_rao: Rao
  exiting_rao: Rao
  exit_ready_at_secs: number | null
  stated_rao: Rao
}

export interface Offer {
  gpu_class: number
  gpu_count: number
  price_rao_per_sec: Rao
  min_duration_secs: number
  max_duration_secs: number
  turnaround_secs: number
  expires_at_secs: number
  offer_hash: Hex
}

export interface CaseCounts {
  open: number
  executed: number
  dismissed: number
}

export interface Machine {
  machine: Hex
  registration: number
  miner: Hex
  hotkey: Hex
  uid: number
  endpoint: string | null
  availability: Availability
  class_name: string | null
  offer: Offer | null
  bond: Bond
  rental: number | null
  verified_until_secs: number | null
  uptime_ppm: number | null
  strip: string
  rentals: number
  cases: CaseCounts
}

export interface MarketPage {
  at: At
  total: number
  next_offset: number | null
  machines: Machine[]
}

export interface MachineDay {
  day: number
  rented_secs: number
  faulted_secs: number
}

export interface PricePoint {
  at_secs: number
  price_rao_per_sec: Rao
  rental: number | null
}

export interface Registration {
  registration: number
  miner: Hex
  retired: boolean
}

export interface MachinePage {
  at: At
  machine: Machine
  registrations: Registration[]
  days: MachineDay[]
  prices: PricePoint[]
  rentals: Rental[]
  cases: Case[]
}

export type RentalState = 'running' | 'ended' | 'closed'

export interface Fault {
  from_secs: number
  until_secs: number
  case: number
}

export interface Rental {
  id: number
  state: RentalState
  machine: Hex
  registration: number
  miner: Hex
  renter: Hex
  renter_key: Hex
  gpu_class: number
  class_name: string
  gpu_count: number
  price_rao_per_sec: Rao
  start_secs: number
  end_secs: number
  paid_until_secs: number
  min_duration_secs: number
  bought_secs: number
  claimed_secs: number
  faulted_secs: number
  open_secs: number
  refunded_secs: number
  paid_rao: Rao
  refunded_rao: Rao
  compensated_rao: Rao
  faults: Fault[]
}

export interface RentalPage {
  at: At
  next_before: number | null
  rentals: Rental[]
}

/** `/v1/rentals/{id}` */
export interface OneRental {
  at: At
  rental: Rental
  cases: Case[]
}

export type CaseKind = 'not_delivered' | 'interrupted' | 'offline' | 'spoofed'
export type CaseCause = 'none' | 'unreachable' | 'wrong_host_key' | 'renter_refused' | 'gpus_missing'
export type CaseState = 'filed' | 'appealed' | 'refunded' | 'refunded_appealed' | 'executed' | 'dismissed'

export interface Appeal {
  bond_rao: Rao
  rule_by_secs: number
}

export interface Case {
  id: number
  kind: CaseKind
  cause: CaseCause
  state: CaseState
  slow: boolean
  rental: number | null
  machine: Hex
  registration: number
  miner: Hex
  renter: Hex | null
  filed_at_secs: number
  executable_at_secs: number | null
  appealable_until_secs: number | null
  appeal_bond_rao: Rao | null
  appeal: Appeal | null
  withheld_secs: number
  withheld_rao: Rao
  penalty_rao: Rao
}

export interface CasePage {
  at: At
  next_before: number | null
  cases: Case[]
}

/** `/v1/cases/{id}` */
export interface OneCase {
  at: At
  case: Case
  rental: Rental | null
}

export interface MinerDay {
  day: number
  served_secs: number
  earned_rao: Rao
}

export interface MinerPage {
  at: At
  miner: Hex
  machines: Machine[]
  bonded_rao: Rao
  earned_rao: Rao
  claimed_rao: Rao
  penalties_rao: Rao
  days: MinerDay[]
  rentals: Rental[]
  cases: Case[]
}

export interface Contracts {
  vault: Hex
  escrow: Hex
  arbiter: Hex
  bids: Hex
  keepers: Hex
}

export interface Class {
  gpu_class: number
  name: string
  bond_rao: Rao
  machines: number
  gpus: number
  gpus_rented: number
  from_rao_per_sec: Rao | null
}

export interface Keeper {
  account: Hex
  weight: bigint
  active: boolean
  url: string
}

export interface Totals {
  machines: number
  offered: number
  rented: number
  miners: number
  active_renters: number
  rentals: number
  served_secs: number
  served_gpu_secs: number
  revenue_rao: Rao
  refunded_rao: Rao
  bonded_rao: Rao
  cases: number
  penalties_open_rao: Rao
  penalties_executed_rao: Rao
}

export interface Terms {
  settle_lag_secs: number
  certificate_life_secs: number
  delivery_grace_secs: number
  min_interrupted_secs: number
  min_offline_secs: number
}

export interface NetworkPage {
  at: At
  chain_id: number
  netuid: number
  keeper: Hex
  contracts: Contracts
  terms: Terms
  totals: Totals
  classes: Class[]
  keepers: Keeper[]
}

export interface NetworkDay {
  day: number
  rentals: number
  renters: number
  rented_secs: number
  served_secs: number
  rented_gpu_secs: number
  revenue_rao: Rao
  penalties_rao: Rao
  cases: number
}

export interface NetworkDays {
  at: At
  days: NetworkDay[]
}

/** RFC 9457. */
export interface Problem {
  type: string
  title: string
  status: number
  detail: string
  code: string
}

/** What a keeper signed (`keeper/core/src/statement.rs`); the signature is r, s and v in 65 bytes. */
export interface Signed<T> {
  statement: T
  signer: Hex
  signature: Hex
}

export interface Certificate {
  machine: Hex
  registration: number
  gpu_class: number
  gpu_count: number
  measured_at_secs: number
  evidence: Hex
}

export interface Attestation {
  kind: string
  rental: number
  cause: string
  from_secs: number
  until_secs: number
  evidence: Hex
}

export interface Spoof {
  machine: Hex
  registration: number
  gpu_class: number
  gpu_count: number
  proved_at_secs: number
  evidence: Hex
}

/** `/v1/figures/{machine}`: measured modestly and proven by nobody. Null: not measured. */
export interface SoftFigures {
  registration: number
  measured_at_secs: number
  ended: string | null
  figures: Record<string, number | null>
}

const AMOUNT = /_rao(_per_sec)?$|^weight$/

/** Turns the amounts of an answer into bigint, in place: a market of 5,000 machines is not copied for it. */
export function withAmounts<T>(value: unknown): T {
  if (typeof value === 'object' && value !== null) {
    const record = value as Record<string, unknown>
    for (const key of Object.keys(record)) {
      const inner = record[key]
      if (typeof inner === 'object') withAmounts(inner)
      else if (typeof inner === 'string' && AMOUNT.test(key)) record[key] = amount(inner, key)
    }
  }
  return value as T
}

function amount(text: string, key: string): bigint {
  if (!/^\d{1,20}$/.test(text)) throw new Error(`${key} is ${text.slice(0, 40)}, no whole number of rao`)
  return BigInt(text)
}
