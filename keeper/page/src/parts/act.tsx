/** A button that sends a transaction, and what becomes of it in words that are read out. */

import { type Signal, useSignal } from '@preact/signals'
import type { Call } from '../wallet/calls.ts'
import { chainInfo } from '../wallet/chains.ts'
import { ready, wantedChainId } from '../wallet/session.ts'
import { type Step, transact } from '../wallet/transact.ts'
import { shortHex } from './format.ts'
import { Copy, OutLink } from './text.tsx'

function Transaction({ hash }: { hash: string }) {
  const explorer = wantedChainId.value === null ? null : (chainInfo(wantedChainId.value)?.explorerUrl ?? null)
  return (
    <>
      Transaction{' '}
      {explorer ? (
        <OutLink url={`${explorer}/tx/${hash}`}>{shortHex(hash)}</OutLink>
      ) : (
        <code title={hash}>{shortHex(hash)}</code>
      )}{' '}
      <Copy text={hash} label="Copy the transaction's hash" />
    </>
  )
}

/** The step in words; read out as it changes. */
export function StepView({ step }: { step: Signal<Step> }) {
  const value = step.value
  const hash = 'hash' in value ? value.hash : undefined
  return (
    <div class={`step ${value.at}`} role="status" aria-live="polite">
      {value.at === 'idle' ? null : (
        <p>
          {value.words}
          {value.at === 'failed' && value.name ? <code class="name"> {value.name}</code> : null}{' '}
          {hash ? <Transaction hash={hash} /> : null}
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
}

/** Needs a connected wallet on the right network, and is disabled without. */
export function Act({ label, call, onDone }: ActProps) {
  const step = useSignal<Step>({ at: 'idle' })
  const act = async () => {
    if (await transact(step, async () => call())) onDone?.()
  }
  return (
    <div class="act">
      <button type="button" disabled={step.value.at === 'busy' || !ready.value} onClick={act}>
        {label}
      </button>
      <StepView step={step} />
    </div>
  )
}
