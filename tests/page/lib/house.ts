/** The live market that `surety-demo --keep` leaves, and its chain asked directly: what the page says is held to it. */

import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Abi, createPublicClient, type Hex, http, type PublicClient } from 'viem'
import { type PrivateKeyAccount, privateKeyToAccount } from 'viem/accounts'

export const ROOT = fileURLToPath(new URL('../../..', import.meta.url))

export interface HouseMachine {
  name: string
  machine: Hex
  endpoint: string
  pid: number
  miner: Hex
}

/** The facts of the demo's event `kept`. */
export interface House {
  page: string
  rpc: string
  chain_id: number
  deployment: string
  keys: string
  machines: HouseMachine[]
  renters: Hex[]
  keepers: string[]
}

function readHouse(): House {
  const path = process.env.SURETY_HOUSE
  if (!path || !existsSync(path)) {
    throw new Error('SURETY_HOUSE names no file with the facts of a running demo: run scripts/page-e2e')
  }
  return JSON.parse(readFileSync(path, 'utf8')) as House
}

export const house = readHouse()

/** Which machine plays which part; each part leaves the others alone. */
const part = (index: number): HouseMachine => {
  const machine = house.machines[index]
  if (!machine) throw new Error(`the demo has no machine ${index}`)
  return machine
}
/** Rented, extended, then lost. */
export const lost = part(0)
/** Never rented here: its bond is taken out, wallets decline to rent it. */
export const idle = part(1)
/** Rented and ended early. */
export const early = part(2)

/** An account of the demo. Its key stays in this process: the page never sees it. */
export function accountOf(name: string): PrivateKeyAccount {
  const secret = readFileSync(join(house.keys, `${name}.key`), 'utf8').trim()
  return privateKeyToAccount(`0x${secret}`)
}

const NAMES = { vault: 'CollateralVault', escrow: 'RentalEscrow', arbiter: 'Arbiter' } as const
export type ContractName = keyof typeof NAMES

const deployment = JSON.parse(readFileSync(house.deployment, 'utf8')) as Record<ContractName, { address: Hex }>

const abiOf = (name: ContractName): Abi =>
  JSON.parse(readFileSync(join(ROOT, 'contracts', 'artifacts', `${NAMES[name]}.json`), 'utf8')).abi as Abi

const ABIS: Readonly<Record<ContractName, Abi>> = {
  vault: abiOf('vault'),
  escrow: abiOf('escrow'),
  arbiter: abiOf('arbiter'),
}

export const chain: PublicClient = createPublicClient({ transport: http(house.rpc) })

/** A view of a contract at the newest block. */
export async function view<T>(contract: ContractName, functionName: string, args: readonly unknown[]): Promise<T> {
  const { address } = deployment[contract]
  return (await chain.readContract({ address, abi: ABIS[contract], functionName, args })) as T
}

export interface RentalOnChain {
  renter: Hex
  price: number
  start: number
  end: number
  closed: boolean
  boughtSecs: number
}

export const rentalOnChain = async (id: bigint): Promise<RentalOnChain> =>
  (await view<readonly [RentalOnChain, Hex]>('escrow', 'rentalAt', [id]))[0]

export interface BondOnChain {
  bonded: bigint
  reserved: bigint
  held: bigint
  exiting: bigint
  free: bigint
}

export async function bondOnChain(machine: Hex): Promise<BondOnChain> {
  const [bonded, reserved, held, exiting, free] = await view<bigint[]>('vault', 'bondOf', [machine])
  return { bonded, reserved, held, exiting, free } as BondOnChain
}

export const creditOnChain = (contract: ContractName, account: Hex): Promise<bigint> =>
  view<bigint>(contract, 'creditOf', [account])

/** Asks the keeper that serves the page. */
export async function api<T>(path: string): Promise<T> {
  const answer = await fetch(`${house.page}${path}`)
  if (!answer.ok) throw new Error(`${path} answers ${answer.status}`)
  return (await answer.json()) as T
}

/** Rao as the page writes them: TAO with every digit, none too many. */
export function tao(rao: bigint): string {
  const part = (rao % 1_000_000_000n).toString().padStart(9, '0').replace(/0+$/, '')
  const whole = (rao / 1_000_000_000n).toString().replace(/\B(?=(\d{3})+$)/g, ',')
  return `${whole}${part ? `.${part}` : ''} TAO`
}
