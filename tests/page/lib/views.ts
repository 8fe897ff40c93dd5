/** Every view of the page, with something in it. */

import { accountOf, house, lost } from './house.ts'

export const VIEWS: Readonly<Record<string, string>> = {
  market: '#/market',
  machine: `#/machine/${lost.machine}`,
  rent: `#/rent/${lost.machine}`,
  rentals: `#/rentals?renter=${accountOf('renter-1').address.toLowerCase()}`,
  'whose rentals': '#/rentals',
  miner: `#/miner/${lost.miner}`,
  network: '#/network',
}

export const SIZES = { wide: { width: 1_280, height: 800 }, phone: { width: 360, height: 740 } } as const
export const THEMES = ['dark', 'light'] as const

/** Where the page is, for messages. */
export const PAGE = house.page
