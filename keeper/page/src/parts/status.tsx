/** What is shown while there is nothing to show, or what is shown is old. */

import { ProblemError } from '@surety/client'
import type { ComponentChildren } from 'preact'
import type { Polled } from '../api/source.ts'

const why = (error: Error): string =>
  error instanceof ProblemError && error.status === 429 ? 'The keeper asks us to slow down.' : error.message

export function Failed({ error, retry, what }: { error: Error; retry: () => void; what: string }) {
  return (
    <div class="note bad" role="alert">
      <p>
        {what} cannot be read: {why(error)}
      </p>
      <button type="button" onClick={retry}>
        Try again
      </button>
    </div>
  )
}

export function Empty({ children }: { children: ComponentChildren }) {
  return <p class="note">{children}</p>
}

interface LoadedProps<T> {
  of: Polled<T>
  /** What it is, as the beginning of a sentence: "The market". */
  what: string
  children: (data: T) => ComponentChildren
}

/** Loading, failed, or loaded; what was loaded stays when the next answer fails, and is marked as old. */
export function Loaded<T>({ of, what, children }: LoadedProps<T>) {
  if (of.data === null) {
    if (of.error) return <Failed error={of.error} retry={of.retry} what={what} />
    return (
      <p class="note" role="status">
        Loading…
      </p>
    )
  }
  return (
    <>
      {of.error ? <Stale since={of.cameAt} error={of.error} retry={of.retry} /> : null}
      {children(of.data)}
    </>
  )
}

function Stale({ since, error, retry }: { since: number; error: Error; retry: () => void }) {
  const time = new Date(since).toISOString().slice(11, 19)
  return (
    <div class="note warn" role="status">
      <p>
        The keeper does not answer ({why(error)}). What follows is from {time} UTC and may be out of date.
      </p>
      <button type="button" onClick={retry}>
        Try again
      </button>
    </div>
  )
}
