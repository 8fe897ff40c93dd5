/** One transaction, from the trial on the node to the block that has it, as steps that can be shown and read out. */

import type { Signal } from '@preact/signals'
import type { Hex } from '@surety/client'
import { network } from '../api/network.ts'
import type { Call, Connection, Outcome } from './calls.ts'
import { account, chainId, ready, wallet, wantedChainId } from './session.ts'

export type Step =
  | { at: 'idle' }
  | { at: 'busy'; words: string; hash?: Hex }
  | { at: 'done'; words: string; hash?: Hex; rental: number | null }
  | { at: 'calm'; words: string }
  | { at: 'failed'; words: string; name?: string; hash?: Hex }

/** viem comes only when it is needed. */
export const loadCalls = () => import('./calls.ts')

/** How the contracts are reached now; null: no wallet, or it is on another chain. */
export function connection(): Connection | null {
  const [provider, from, net] = [wallet.value?.provider, account.value, network.value]
  if (!ready.value || !provider || !from || !net || wantedChainId.value !== chainId.value) return null
  return { provider, account: from, chainId: net.chain_id, contracts: net.contracts }
}

const AFTER: Record<Exclude<Outcome['kind'], 'done'>, Step> = {
  reverted: {
    at: 'failed',
    words: 'The transaction is in a block, but the contract refused it. Only its fee was paid.',
  },
  replaced: { at: 'calm', words: 'You replaced the transaction in your wallet. Nothing was done here.' },
  late: {
    at: 'failed',
    words:
      'No block has the transaction after two minutes. It may still come: look at it in your wallet before you ' +
      'send it again.',
  },
}

/** Long enough for a block that is not going to stay to be replaced. */
const SETTLED_MS = 15_000

/** Looks once more later: a block can be replaced, and what was said to be done is then not. */
function lookAgain(step: Signal<Step>, through: Connection, said: Step, hash: Hex): void {
  setTimeout(async () => {
    const { isThere } = await loadCalls()
    if (step.value !== said || (await isThere(through, hash))) return
    const words = 'The chain replaced the block that had the transaction. It may come again: look at it in your wallet.'
    step.value = { at: 'failed', words, hash }
  }, SETTLED_MS)
}

/** Hands the call to the wallet and waits for its block. */
async function carryOut(step: Signal<Step>, through: Connection, call: Call): Promise<boolean> {
  const { send, outcome } = await loadCalls()
  step.value = { at: 'busy', words: 'Confirm it in your wallet.' }
  const hash = await send(through, call)
  step.value = { at: 'busy', words: 'Sent. Waiting for a block to have it…', hash }
  const end = await outcome(through, hash)
  if (end.kind !== 'done') {
    step.value = { ...AFTER[end.kind], hash } as Step
    return false
  }
  const said: Step = { at: 'done', words: `Done, in block ${end.block}.`, hash: end.hash, rental: end.rental }
  step.value = said
  lookAgain(step, through, said, end.hash)
  return true
}

async function run(step: Signal<Step>, prepare: () => Promise<Call>, onlyTry: boolean): Promise<boolean> {
  const through = connection()
  if (!through) {
    step.value = { at: 'calm', words: 'Connect a wallet on the right network first.' }
    return false
  }
  const { simulate } = await loadCalls()
  const call = await prepare()
  step.value = { at: 'busy', words: 'Trying it on the node, without sending anything…' }
  await simulate(through, call)
  if (!onlyTry) return carryOut(step, through, call)
  step.value = { at: 'done', words: 'The contract would accept this now. Nothing was sent.', rental: null }
  return false
}

/** What was thrown, as a step. `hash`: it was sent by then. */
async function failed(error: unknown, hash: Hex | undefined): Promise<Step> {
  try {
    const { explain } = await loadCalls()
    const explained = explain(error)
    const words = explained.sentence + (hash ? ' The transaction was sent; look at it in your wallet.' : '')
    const sent = hash ? { hash } : {}
    if (explained.kind === 'rejected') return { at: 'calm', words }
    return { at: 'failed', words, ...sent, ...(explained.kind === 'contract' ? { name: explained.name } : {}) }
  } catch {
    return { at: 'failed', words: 'A part of this page did not load. Check the connection and try again.' }
  }
}

/** Never throws: whatever goes wrong is the step's words. Resolves to true when the transaction is in a block. */
export async function transact(step: Signal<Step>, prepare: () => Promise<Call>, onlyTry = false): Promise<boolean> {
  step.value = { at: 'busy', words: 'Preparing…' }
  try {
    return await run(step, prepare, onlyTry)
  } catch (error) {
    const hash = step.value.at === 'busy' ? step.value.hash : undefined
    step.value = await failed(error, hash)
    return false
  }
}
