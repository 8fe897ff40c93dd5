/** A button that sends a transaction, and what becomes of it in words that are read out. */

import { type Signal, useSignal } from '@preact/signals'
import type { Call } from '../wallet/calls.ts'
import { chainInfo } from '../wallet/chains.ts'
import { ready, wantedChainId } from '../wallet/session.ts'
import { type Step, transact } from '../wallet/transact.ts'
import { shortHex } from './format.ts'
import { OutLink } from './text.tsx'

export function StepView({ step }: { step: Signal<Step> }) {
  const value = step.value
  const explorer = wantedChainId.value === null ? null : (chainInfo(wantedChainId.value)?.explorerUrl ?? null)
  const hash = 'hash' in value ? value.hash : undefined
  return (
    <div class={`step ${value.at}`} role="status" aria-live="polite">
      {value.at === 'idle' ? null : (
        <p>
          {value.words}
          {value.at === 'failed' && value.name ? <code class="name"> {value.name}</code> : null}
          {hash ? (
            <>
              {' '}
              Transaction{' '}
              {explorer ? <OutLink url={`${explorer}/tx/${hash}`}>{shortHex(hash)}</OutLink> : <code>{hash}</code>}
            </>
          ) : null}
        </p>
      )}
    </div>
  )
}

interface ActProps {
  label: string
  /** Makes the call when it is wanted; throws, in words, when something is missing. */
  call: () => Promise<Call> | Call
  onDone?: () => void
  /** Shares the words with other buttons. */
  step?: Signal<Step>
  primary?: boolean
}

/** Needs a connected wallet on the right network; says so otherwise. */
export function Act({ label, call, onDone, step, primary = false }: ActProps) {
  const own = useSignal<Step>({ at: 'idle' })
  const shown = step ?? own
  const act = async () => {
    if (await transact(shown, async () => call())) onDone?.()
  }
  const busy = shown.value.at === 'busy'
  return (
    <>
      <button type="button" class={primary ? 'primary' : ''} disabled={busy || !ready.value} onClick={act}>
        {label}
      </button>
      {step ? null : <StepView step={own} />}
    </>
  )
}
