/** Keepers' certificates of a machine: asked of many, believed of none but by their signatures, packed for `rent`. */

import { type Hex, hexToBytes, isHex, parseSignature, recoverTypedDataAddress, signatureToCompactSignature } from 'viem'
import { askableUrl, type Bounds, fetchJson } from '../fetching.ts'
import { smallestQuorum } from '../quorum.ts'
import type { Certificate, Keeper, Signed } from '../wire.ts'

/** An answer holds a handful of certificates of some 500 bytes. */
const BOUNDS: Bounds = { timeoutMs: 6_000, bytesMax: 256 * 1024 }
/** More keepers than the contracts seat are never asked, and never more certificates read of one. */
const KEEPERS_MAX = 64
const CERTIFICATES_MAX = 16
/** Half of secp256k1's order: the contracts take the low one of the two values of s. */
const HALF_ORDER = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0n

/** What is going to be rented. */
export interface Wanted {
  chainId: number
  escrow: Hex
  machine: Hex
  registration: number
  gpuClass: number
  gpuCount: number
  /** Measured before then, it does not serve: the end of the last rental, or the certificate's life. */
  notBeforeSecs: number
}

/** As `RentalEscrow.rent` takes it. */
export interface SignedCertificate {
  gpuClass: number
  gpuCount: number
  measuredAt: number
  evidence: Hex
  r: Hex
  vs: Hex
}

export interface Collected {
  /** Sorted by signer; empty when what was found is no quorum. */
  certificates: SignedCertificate[]
  /** Active keepers whose certificate was found and serves. */
  signers: Hex[]
  /** Keepers that could not be asked, or had nothing that serves. */
  failures: { account: Hex; url: string; why: string }[]
}

const TYPES = {
  Certificate: [
    { name: 'machine', type: 'bytes32' },
    { name: 'registration', type: 'uint32' },
    { name: 'gpuClass', type: 'uint16' },
    { name: 'gpuCount', type: 'uint16' },
    { name: 'measuredAt', type: 'uint32' },
    { name: 'evidence', type: 'bytes32' },
  ],
} as const

/** What a keeper signs for a certificate: EIP-712, consumed by the escrow. */
export function certificateTypedData(chainId: number, escrow: Hex, c: Certificate) {
  return {
    domain: { name: 'Surety', version: '1', chainId, verifyingContract: escrow },
    types: TYPES,
    primaryType: 'Certificate',
    message: {
      machine: c.machine,
      registration: c.registration,
      gpuClass: c.gpu_class,
      gpuCount: c.gpu_count,
      measuredAt: c.measured_at_secs,
      evidence: c.evidence,
    },
  } as const
}

const isBytes32 = (value: unknown): value is Hex => isHex(value) && value.length === 66
const isWhole = (value: unknown, max: number): value is number =>
  Number.isInteger(value) && (value as number) >= 0 && (value as number) <= max

/** Whether a stranger's JSON has a certificate's shape. */
export function isSignedCertificate(value: unknown): value is Signed<Certificate> {
  const { statement: s, signature } = (value ?? {}) as { statement?: Partial<Certificate>; signature?: unknown }
  if (!s || !isHex(signature) || signature.length !== 132) return false
  const numbers = isWhole(s.registration, 2 ** 32 - 1) && isWhole(s.measured_at_secs, 2 ** 32 - 1)
  const cards = isWhole(s.gpu_class, 65_535) && isWhole(s.gpu_count, 65_535)
  return numbers && cards && isBytes32(s.machine) && isBytes32(s.evidence)
}

/** EIP-2098 form of a signature of 65 bytes; refuses what the contracts refuse. */
export function compact(signature: Hex): { r: Hex; vs: Hex } {
  const parsed = parseSignature(signature)
  if (BigInt(parsed.s) > HALF_ORDER) throw new Error('s is in the upper half')
  const { r, yParityAndS } = signatureToCompactSignature(parsed)
  return { r, vs: yParityAndS }
}

/** Why a certificate does not serve; null: it does, as far as one can see without its signature. */
function unfit(c: Certificate, wanted: Wanted): string | null {
  if (c.machine.toLowerCase() !== wanted.machine.toLowerCase()) return 'it is about another machine'
  if (c.registration !== wanted.registration) return 'it is about another registration of the machine'
  if (c.gpu_class !== wanted.gpuClass || c.gpu_count < wanted.gpuCount) return 'it does not cover the offered cards'
  if (c.measured_at_secs < wanted.notBeforeSecs) return 'it is too old, or from before the last tenant left'
  return null
}

interface Found {
  account: Hex
  weight: bigint
  certificate: SignedCertificate
}

async function read(signed: Signed<Certificate>, wanted: Wanted): Promise<Omit<Found, 'weight'>> {
  const c = signed.statement
  const why = unfit(c, wanted)
  if (why) throw new Error(why)
  const { r, vs } = compact(signed.signature)
  const typed = certificateTypedData(wanted.chainId, wanted.escrow, c)
  const account = await recoverTypedDataAddress({ ...typed, signature: signed.signature })
  const fields = { gpuClass: c.gpu_class, gpuCount: c.gpu_count, measuredAt: c.measured_at_secs, evidence: c.evidence }
  return { account, certificate: { ...fields, r, vs } }
}

async function ask(keeper: Keeper, wanted: Wanted): Promise<Omit<Found, 'weight'>[]> {
  const url = askableUrl(keeper.url)
  if (!url) throw new Error('its address is no http or https URL')
  const base = url.href.replace(/\/+$/, '')
  const { json } = await fetchJson(`${base}/v1/certificates/${wanted.machine}`, BOUNDS)
  const list = (json as { certificates?: unknown } | null)?.certificates
  const found: Omit<Found, 'weight'>[] = []
  let why = 'it has no certificate of this machine'
  for (const entry of Array.isArray(list) ? list.slice(0, CERTIFICATES_MAX) : []) {
    if (!isSignedCertificate(entry)) continue
    try {
      found.push(await read(entry, wanted))
    } catch (error) {
      why = (error as Error).message
    }
  }
  if (found.length === 0) throw new Error(why)
  return found
}

const bySigner = (a: Found, b: Found): number => {
  const [left, right] = [hexToBytes(a.account), hexToBytes(b.account)]
  const at = left.findIndex((byte, index) => byte !== right[index])
  return at < 0 ? 0 : (left[at] as number) - (right[at] as number)
}

/**
 * Asks every active keeper at once. A keeper may hand out another's certificate as well: what counts is who signed.
 * Of several by one signer the newest is taken.
 */
export async function collectCertificates(keepers: readonly Keeper[], wanted: Wanted): Promise<Collected> {
  const active = keepers.filter((keeper) => keeper.active)
  const weights = new Map(active.map((keeper) => [keeper.account.toLowerCase(), keeper.weight]))
  const byWeight = [...active].sort((a, b) => (a.weight < b.weight ? 1 : a.weight > b.weight ? -1 : 0))
  const heaviest = byWeight.slice(0, KEEPERS_MAX)
  const answers = await Promise.allSettled(heaviest.map((keeper) => ask(keeper, wanted)))
  const newest = new Map<string, Found>()
  const failures: Collected['failures'] = []
  for (const [index, answer] of answers.entries()) {
    const { account, url } = heaviest[index] as Keeper
    if (answer.status === 'rejected') failures.push({ account, url, why: (answer.reason as Error).message })
    for (const found of answer.status === 'fulfilled' ? answer.value : []) {
      const key = found.account.toLowerCase()
      const weight = weights.get(key)
      const older = newest.get(key)
      const newer = !older || older.certificate.measuredAt < found.certificate.measuredAt
      if (weight !== undefined && newer) newest.set(key, { ...found, weight })
    }
  }
  const all = active.map((keeper) => ({ account: keeper.account, weight: keeper.weight }))
  const chosen = smallestQuorum([...newest.values()], all) ?? []
  const certificates = [...chosen].sort(bySigner).map((found) => found.certificate)
  return { certificates, signers: [...newest.values()].map((found) => found.account), failures }
}
