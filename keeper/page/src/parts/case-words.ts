/** A case in sentences: what was seen, what it did, what may still happen. */

import { type Case, formatDuration, formatTao } from '@surety/client'
import { isoTime } from './format.ts'

const CAUSES: Record<Case['cause'], string> = {
  none: '',
  unreachable: ' because it could not be reached',
  wrong_host_key: ' because another host key answered in its place',
  renter_refused: " because it would not let the renter's key in",
  gpus_missing: ' because it admitted to fewer GPUs than it rents out',
}

const KIND_NAMES: Record<Case['kind'], string> = {
  not_delivered: 'Not delivered',
  interrupted: 'Interrupted',
  offline: 'Offline',
  spoofed: 'Spoofed',
}

const STATE_NAMES: Record<Case['state'], string> = {
  filed: 'filed',
  appealed: 'appealed',
  refunded: 'refunded, penalty waits',
  refunded_appealed: 'refunded, appealed',
  executed: 'executed',
  dismissed: 'dismissed',
}

export const caseTitle = (c: Case): string => `Case ${c.id}: ${KIND_NAMES[c.kind]} (${STATE_NAMES[c.state]})`

function seen(c: Case): string {
  const cause = CAUSES[c.cause]
  const who = `A quorum of keepers signed on ${isoTime(c.filed_at_secs)} UTC that`
  if (c.kind === 'not_delivered') return `${who} the machine never let the renter of rental ${c.rental} in${cause}.`
  if (c.kind === 'interrupted') return `${who} rental ${c.rental} was without service for a while${cause}.`
  if (c.kind === 'offline') return `${who} rental ${c.rental} went out of service and had not come back${cause}.`
  return `${who} the machine had signed false proofs of its GPUs.`
}

function effect(c: Case): string {
  const ends = c.kind === 'not_delivered' || c.kind === 'offline'
  const parts = [
    c.withheld_secs > 0
      ? `the pay of ${formatDuration(c.withheld_secs)} (${formatTao(c.withheld_rao)} TAO) was withheld`
      : '',
    ends ? 'the rental ended and its unused time was given back' : '',
    c.kind === 'spoofed' ? 'the offer was taken down and a running rental ended' : '',
    c.penalty_rao > 0n ? `${formatTao(c.penalty_rao)} TAO of the bond was set aside` : 'no bond was set aside',
  ].filter((part) => part !== '')
  const text = parts.join(', ')
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`
}

const onExecution = (c: Case): string => {
  const pay = c.withheld_rao > 0n ? "the withheld pay becomes the renter's" : ''
  const penalty = c.penalty_rao > 0n ? 'the penalty is burned' : ''
  return [pay, penalty].filter((part) => part !== '').join(' and ') || 'it is closed'
}

const at = (secs: number | null): string => (secs === null ? 'later' : `from ${isoTime(secs)} UTC`)

function standing(c: Case): string {
  const judge = c.appeal ? ` The judge has until ${isoTime(c.appeal.rule_by_secs)} UTC; silence upholds the case.` : ''
  const appealable =
    c.appealable_until_secs === null ? '' : ` The miner can appeal until ${isoTime(c.appealable_until_secs)} UTC.`
  const slow = c.slow ? ' Many penalties were filed that day, so this one waits longer.' : ''
  const paid = c.withheld_rao > 0n ? "The withheld pay is the renter's. " : ''
  switch (c.state) {
    case 'filed':
      return `Anybody can carry it out ${at(c.executable_at_secs)}: ${onExecution(c)}.${appealable}${slow}`
    case 'appealed':
      return `The miner appealed.${judge}`
    case 'refunded':
      return `${paid}The penalty can be burned by anybody ${at(c.executable_at_secs)}.${appealable}${slow}`
    case 'refunded_appealed':
      return `${paid}The miner appealed the penalty.${judge}`
    case 'executed':
      return `It was carried out: ${onExecution(c).replace('becomes', 'became').replace(' is burned', ' was burned')}.`
    case 'dismissed':
      return "The judge overturned it: what was set aside is the miner's again."
  }
}

/** Three sentences or more, in order. */
export const caseSentences = (c: Case): string[] => [seen(c), effect(c), standing(c)]
