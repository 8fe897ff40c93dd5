/** The keeper that served this page, asked again while somebody looks. */

import { ProblemError, ReadApi } from '@surety/client'
import { useEffect, useState } from 'preact/hooks'

/** The page comes from the keeper, so its API is where the page is. */
export const api = new ReadApi('')

/** Blocks come every 12 s; twice as often shows each one soon. */
export const DETAIL_MS = 6_000
/** What changes once a day. */
export const SLOW_MS = 60_000
/** A keeper that does not answer is asked less and less often, but at least so often. */
const PATIENCE_MS = 60_000
/** A whole market is megabytes. */
export const MARKET_MS = 30_000

export interface Polled<T> {
  /** The newest answer, old as it may be; null: none yet. */
  data: T | null
  /** Why the newest question has no answer; null: it has. */
  error: Error | null
  /** When `data` came, milliseconds. */
  cameAt: number
  retry: () => void
}

/** 404 and 400 stay what they are; asking again every few seconds would not help. */
const isFinal = (error: unknown): boolean =>
  error instanceof ProblemError && error.status >= 400 && error.status < 500 && error.status !== 429

const EMPTY = { data: null, error: null, cameAt: 0 }

/** Asks now and every `everyMs` while the page is visible. `key` names the question; null asks nothing. */
export function usePolled<T>(key: string | null, ask: () => Promise<T>, everyMs: number): Polled<T> {
  const [state, setState] = useState<{ key: string | null } & Omit<Polled<T>, 'retry'>>({ key, ...EMPTY })
  const [round, setRound] = useState(0)
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined
    let gone = false
    let failures = 0
    const look = async () => {
      if (document.hidden) {
        timer = setTimeout(look, everyMs)
        return
      }
      try {
        const data = await ask()
        failures = 0
        if (!gone) setState({ key, data, error: null, cameAt: Date.now() })
      } catch (error) {
        const failed = error as Error
        if (!gone) setState((last) => ({ ...(last.key === key ? last : { key, ...EMPTY }), error: failed }))
        if (isFinal(error)) return
        failures += 1
      }
      const patience = Math.max(everyMs, Math.min(everyMs * 2 ** failures, PATIENCE_MS))
      if (!gone) timer = setTimeout(look, patience)
    }
    if (key !== null) look()
    return () => {
      gone = true
      clearTimeout(timer)
    }
  }, [key, everyMs, round])
  const current = state.key === key ? state : { key, ...EMPTY }
  return { ...current, retry: () => setRound((value) => value + 1) }
}

/** The common case: one path of the API. */
export const usePath = <T>(path: string | null, everyMs = DETAIL_MS): Polled<T> =>
  usePolled(path, () => api.get<T>(path as string), everyMs)
