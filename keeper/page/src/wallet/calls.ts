/** Calls on the contracts, through the wallet's own endpoint. The only part of the page that loads viem. */

import type { Contracts, Hex, Keeper } from '@surety/client'
import { raoToWei } from '@surety/client'
import {
  arbiterAbi,
  type Collected,
  collateralVaultAbi,
  collectCertificates,
  errorsAbi,
  explain,
  gasLimit,
  rentalEscrowAbi,
  type Wanted,
} from '@surety/client/chain'
import {
  type Abi,
  createPublicClient,
  createWalletClient,
  custom,
  defineChain,
  parseEventLogs,
  TransactionReceiptNotFoundError,
  WaitForTransactionReceiptTimeoutError,
} from 'viem'
import type { Provider } from './discover.ts'

export { explain }

export type ContractName = 'vault' | 'escrow' | 'arbiter'

export interface Call {
  contract: ContractName
  name: string
  args: readonly unknown[]
  /** What is paid with it. */
  valueRao?: bigint
}

export interface Connection {
  provider: Provider
  account: Hex
  chainId: number
  contracts: Contracts
}

/** With every contract's errors: a call reverts with those of the contracts behind it, too. */
const ABIS: Record<ContractName, Abi> = {
  vault: [...collateralVaultAbi, ...errorsAbi] as Abi,
  escrow: [...rentalEscrowAbi, ...errorsAbi] as Abi,
  arbiter: [...arbiterAbi, ...errorsAbi] as Abi,
}

/** Ten blocks of 12 s: longer, and the transaction is more likely lost than late. */
const RECEIPT_MS = 120_000

function clients({ provider, account, chainId }: Connection) {
  const chain = defineChain({
    id: chainId,
    name: `chain ${chainId}`,
    nativeCurrency: { name: 'TAO', symbol: 'TAO', decimals: 18 },
    rpcUrls: { default: { http: [] } },
  })
  // One try: the wallet's endpoint does its own retrying, and a person is waiting.
  const transport = custom(provider as Parameters<typeof custom>[0], { retryCount: 0 })
  const options = { account, chain, transport, pollingInterval: 2_000 }
  return { reading: createPublicClient(options), writing: createWalletClient(options) }
}

const parameters = (connection: Connection, call: Call) => ({
  address: connection.contracts[call.contract],
  abi: ABIS[call.contract],
  functionName: call.name,
  args: call.args,
  account: connection.account,
  ...(call.valueRao === undefined ? {} : { value: raoToWei(call.valueRao) }),
})

/** Asks a view of a contract. */
export async function read<T>(connection: Connection, contract: ContractName, name: string, args: readonly unknown[]) {
  const { reading } = clients(connection)
  return (await reading.readContract(parameters(connection, { contract, name, args }))) as T
}

/** Tries a call on the node without sending anything; throws what the contract would. */
export async function simulate(connection: Connection, call: Call): Promise<void> {
  await clients(connection).reading.simulateContract(parameters(connection, call))
}

/** Hands a call to the wallet, which asks its owner. With its gas: not every wallet leaves room over the estimate. */
export async function send(connection: Connection, call: Call): Promise<Hex> {
  const { reading, writing } = clients(connection)
  const gas = gasLimit(await reading.estimateContractGas(parameters(connection, call)))
  return writing.writeContract({ ...parameters(connection, call), chain: writing.chain, gas })
}

export type Outcome =
  | { kind: 'done'; block: bigint; hash: Hex; rental: number | null }
  | { kind: 'reverted' }
  | { kind: 'replaced' }
  | { kind: 'late' }

/** Waits for the block that has the transaction; a wallet may replace it by one at a higher fee, or by nothing. */
export async function outcome(connection: Connection, hash: Hex): Promise<Outcome> {
  const { reading } = clients(connection)
  let cancelled = false
  try {
    const receipt = await reading.waitForTransactionReceipt({
      hash,
      timeout: RECEIPT_MS,
      onReplaced: ({ reason }) => {
        cancelled = reason !== 'repriced'
      },
    })
    if (cancelled) return { kind: 'replaced' }
    if (receipt.status !== 'success') return { kind: 'reverted' }
    const [rented] = parseEventLogs({ abi: rentalEscrowAbi, eventName: 'Rented', logs: receipt.logs })
    const rental = rented ? Number(rented.args.rental) : null
    return { kind: 'done', block: receipt.blockNumber, hash: receipt.transactionHash, rental }
  } catch (error) {
    if (error instanceof WaitForTransactionReceiptTimeoutError) return { kind: 'late' }
    throw error
  }
}

/** Whether the chain still has the transaction: a block can be replaced by another one. */
export async function isThere(connection: Connection, hash: Hex): Promise<boolean> {
  const { reading } = clients(connection)
  return reading.getTransactionReceipt({ hash }).then(
    () => true,
    (error) => !(error instanceof TransactionReceiptNotFoundError),
  )
}

/** Keepers' certificates of a machine, as `rent` takes them. */
export const certificates = (keepers: readonly Keeper[], wanted: Wanted): Promise<Collected> =>
  collectCertificates(keepers, wanted)

/** A rental as the contract has it now. */
export interface LiveRental {
  start: number
  end: number
  closed: boolean
  earnedRao: bigint
}

export async function liveRental(connection: Connection, id: number): Promise<LiveRental> {
  const [record, earnedRao] = await Promise.all([
    read<readonly [{ start: number; end: number; closed: boolean }, Hex]>(connection, 'escrow', 'rentalAt', [
      BigInt(id),
    ]),
    read<bigint>(connection, 'escrow', 'earnedOf', [BigInt(id)]),
  ])
  const { start, end, closed } = record[0]
  return { start, end, closed, earnedRao }
}
