import type { Availability } from '@surety/client'

/** In words, in the order of a filter. */
export const AVAILABILITY: Readonly<Record<Availability, string>> = {
  free: 'free',
  rented: 'rented',
  resting: 'resting',
  unverified: 'unverified',
  underbonded: 'underbonded',
  not_offered: 'not offered',
}

/** Why a machine can or cannot be rented now, in a sentence. */
export const AVAILABILITY_WORDS: Readonly<Record<Availability, string>> = {
  free: 'It can be rented now.',
  rented: 'A rental runs on it.',
  resting: 'It pauses after its last tenant.',
  unverified: 'This keeper has no certificate of it that serves a rental now.',
  underbonded: 'Its free bond does not cover the shortest rental.',
  not_offered: 'It is not offered.',
}
