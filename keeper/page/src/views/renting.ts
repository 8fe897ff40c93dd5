/** What a rental costs and needs, and the call that makes it. */

import {
  formatDuration,
  type Hex,
  type Key32,
  type Machine,
  type MachinePage,
  type NetworkPage,
  type Offer,
  parseDuration,
  type Terms,
} from '@surety/client'
import type { Call } from '../wallet/calls.ts'
import { loadCalls } from '../wallet/transact.ts'

/** The length as typed, or why it is none. */
export function readLength(text: string, offer: Offer): { secs: number | null; error: string | null } {
  try {
    const secs = parseDuration(text)
    const [least, most] = [offer.min_duration_secs, offer.max_duration_secs]
    if (secs >= least && secs <= most) return { secs, error: null }
    return { secs: null, error: `At least ${formatDuration(least)}, at most ${formatDuration(most)}.` }
  } catch (error) {
    return { secs: null, error: (error as Error).message }
  }
}

/**
 * Why the machine's bond does not carry a rental of `secs`, of which the contract said that it needs `needed`; null: it
 * does. The bond that is needed grows with the length, and is at least `floor`, that of the class: where so much is
 * not free, no length helps.
 */
export function bondLacks(secs: number, needed: bigint, free: bigint, floor: bigint): string | null {
  if (needed <= free) return null
  const longest = Number((BigInt(secs) * free) / needed)
  if (floor > free || longest === 0) return 'The machine has too little free bond to be rented.'
  return `The machine's free bond carries a rental of at most ${formatDuration(longest)}.`
}

/** What becomes of the money, in one sentence. */
export const refundRule = (offer: Pick<Offer, 'min_duration_secs'>, terms: Terms): string =>
  'You can end the rental at any time and get back everything beyond its first ' +
  `${formatDuration(offer.min_duration_secs)}; ` +
  'seconds that keepers record as without service are refunded once their case is decided, and an outage of ' +
  `${formatDuration(terms.min_offline_secs)} ends the rental and gives back what was not used at once.`

/** From when certificates serve: not older than their life, nor than the end of the last rental. */
function notBefore({ at, rentals, machine }: MachinePage, terms: Terms): number {
  const ends = rentals.filter((rental) => rental.registration === machine.registration).map((rental) => rental.end_secs)
  const past = ends.filter((end) => end <= at.at_secs)
  return Math.max(at.at_secs - terms.certificate_life_secs, 0, ...past)
}

export interface Wish {
  page: MachinePage
  offer: Offer
  secs: number
  key: Key32
}

/** Collects certificates and makes the call; says which keepers had none where they are no quorum. */
export async function rentCall(net: NetworkPage, { page, offer, secs, key }: Wish): Promise<Call> {
  const { certificates } = await loadCalls()
  const { machine, registration }: Machine = page.machine
  // The keeper that served the page is reached where the page was, whatever it says on chain.
  const reachable = net.keepers.map((keeper) =>
    keeper.account === net.keeper ? { ...keeper, url: location.origin } : keeper,
  )
  const found = await certificates(reachable, {
    chainId: net.chain_id,
    escrow: net.contracts.escrow,
    machine,
    registration,
    gpuClass: offer.gpu_class,
    gpuCount: offer.gpu_count,
    notBeforeSecs: notBefore(page, net.terms),
  })
  if (found.certificates.length === 0) {
    const failures = found.failures.slice(0, 5).map(({ account, why }) => `${account.slice(0, 10)}…: ${why}`)
    const which = failures.length > 0 ? ` (${failures.join('; ')})` : ''
    throw new Error(
      `Keepers' certificates that serve now are no quorum: ${found.signers.length} found${which}. Try later.`,
    )
  }
  const args = [machine, secs, key, offer.offer_hash, found.certificates]
  return { contract: 'escrow', name: 'rent', args, valueRao: offer.price_rao_per_sec * BigInt(secs) }
}

export const extendCall = (rental: number, secs: number, price: bigint): Call => ({
  contract: 'escrow',
  name: 'extend',
  args: [BigInt(rental), secs],
  valueRao: price * BigInt(secs),
})

export const escrowCall = (name: 'end' | 'close' | 'claim' | 'abandon', rental: number): Call => ({
  contract: 'escrow',
  name,
  args: [BigInt(rental)],
})

export const creditCall = (contract: Call['contract'], account: Hex): Call => ({
  contract,
  name: 'withdrawCredit',
  args: [account],
})
