/** Whatever a call, a wallet or an RPC endpoint threw, as one thing that can be shown. */

import { type AbiParameter, BaseError, decodeErrorResult, type Hex, isHex, toFunctionSignature } from 'viem'
import {
  appointedKeepersAbi,
  arbiterAbi,
  collateralVaultAbi,
  rentalBidsAbi,
  rentalEscrowAbi,
  votingPowerKeepersAbi,
} from './abi/index.ts'
import { type Args, sentences } from './sentences.ts'

const ABIS = [
  collateralVaultAbi,
  rentalEscrowAbi,
  arbiterAbi,
  rentalBidsAbi,
  votingPowerKeepersAbi,
  appointedKeepersAbi,
] as const

interface AbiError {
  type: 'error'
  name: string
  inputs: readonly AbiParameter[]
}

const signature = (error: AbiError): string => toFunctionSignature({ ...error, type: 'function' } as never)

/** Every custom error of all contracts, once: a call reverts with the errors of the contracts it calls, too. */
export const errorsAbi: readonly AbiError[] = [
  ...new Map(
    ABIS.flatMap((abi) => abi.filter((entry) => entry.type === 'error') as AbiError[]).map((error) => [
      signature(error),
      error,
    ]),
  ).values(),
]

export type Explained =
  /** The contract said no, by name. */
  | { kind: 'contract'; name: string; sentence: string }
  /** The person said no in the wallet. Nothing is wrong. */
  | { kind: 'rejected'; sentence: string }
  /** The endpoint or the wallet failed. */
  | { kind: 'failed'; sentence: string }

/** The sentence for a custom error; one that is not known keeps its name. */
export function explainRevert(data: Hex): Explained {
  try {
    const { errorName, args = [] } = decodeErrorResult({ abi: errorsAbi, data })
    const inputs = errorsAbi.find((error) => error.name === errorName)?.inputs ?? []
    const named: Args = Object.fromEntries(
      inputs.map((input, index) => [input.name ?? index, (args as unknown[])[index]]),
    )
    const sentence = sentences[errorName]?.(named) ?? `The contract refused: ${errorName}.`
    return { kind: 'contract', name: errorName, sentence }
  } catch {
    return { kind: 'contract', name: data.slice(0, 10), sentence: 'The contract refused without a reason known here.' }
  }
}

/** Every object in a chain of causes; wallets nest what the node said under `data` and `data.originalError`. */
function* causes(error: unknown): Generator<Record<string, unknown>> {
  const queue: unknown[] = [error]
  for (let count = 0; queue.length > 0 && count < 32; count += 1) {
    const next = queue.shift()
    if (typeof next !== 'object' || next === null) continue
    const record = next as Record<string, unknown>
    yield record
    queue.push(record.cause, record.data, record.originalError, record.error)
  }
}

const REVERT = /^0x[0-9a-fA-F]{8,20000}$/

function revertData(error: unknown): Hex | null {
  for (const record of causes(error)) {
    for (const value of [record.data, record.raw, record.signature]) {
      if (typeof value === 'string' && isHex(value) && REVERT.test(value)) return value
    }
  }
  return null
}

const hasCode = (error: unknown, code: number): boolean => [...causes(error)].some((record) => record.code === code)

const WORDS: readonly [RegExp, string][] = [
  [/insufficient funds|exceeds the balance/i, 'The account has too little TAO for the payment and the fee.'],
  [/nonce/i, 'The wallet and the chain disagree about the number of the next transaction. Try again.'],
  [/timed? ?out|took too long/i, 'The RPC endpoint did not answer in time. Try again.'],
  [/failed to fetch|http request failed|network ?error/i, 'The RPC endpoint cannot be reached. Try again.'],
]

/** Anything that was thrown, in words. Never throws itself. */
export function explain(error: unknown): Explained {
  if (hasCode(error, 4001) || hasCode(error, 5000)) {
    return { kind: 'rejected', sentence: 'You declined in your wallet. Nothing was sent.' }
  }
  const data = revertData(error)
  if (data) return explainRevert(data)
  if (hasCode(error, -32002)) {
    return { kind: 'failed', sentence: 'Your wallet has a question open already. Answer it there first.' }
  }
  const message =
    error instanceof BaseError ? error.shortMessage : error instanceof Error ? error.message : String(error)
  const known = WORDS.find(([pattern]) => pattern.test(`${message} ${(error as Error)?.message ?? ''}`))
  return { kind: 'failed', sentence: known?.[1] ?? message.slice(0, 300) }
}
