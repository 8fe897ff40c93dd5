/** Where the page is: `#/view/id?query`. Hash routes, so that a keeper serves one file and rewrites nothing. */

import { signal } from '@preact/signals'

export const VIEWS = ['market', 'machine', 'rent', 'rentals', 'miner', 'network'] as const
export type View = (typeof VIEWS)[number]

export interface Route {
  view: View
  /** What the view is about: a machine or an account, lower case; empty: nothing. */
  id: string
  query: URLSearchParams
}

/** Reads a hash; whatever is not known is the market. */
export function parseRoute(hash: string): Route {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split('?', 2)
  const [view = '', id = ''] = path.split('/')
  const known = (VIEWS as readonly string[]).includes(view)
  const isId = /^0x([0-9a-f]{40}|[0-9a-f]{64})$/i.test(id)
  return {
    view: known ? (view as View) : 'market',
    id: isId ? id.toLowerCase() : '',
    query: new URLSearchParams(query.slice(0, 2_000)),
  }
}

export function href(view: View, id = '', query: Record<string, string> = {}): string {
  const text = new URLSearchParams(query).toString()
  return `#/${view}${id ? `/${id}` : ''}${text ? `?${text}` : ''}`
}

export const route = signal<Route>(parseRoute(location.hash))

addEventListener('hashchange', () => {
  route.value = parseRoute(location.hash)
})

/** Changes the query of the route it is at; no step in the history for each letter typed into a filter. */
export function setQuery(query: Record<string, string>): void {
  const { view, id } = route.value
  history.replaceState(null, '', href(view, id, query))
  route.value = parseRoute(location.hash)
}
