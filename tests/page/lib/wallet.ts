/** A wallet for tests: announced in the page by EIP-6963, spoken to by EIP-1193, with its key in this process. */

import type { Page } from '@playwright/test'
import { createWalletClient, defineChain, type Hex, http, toHex } from 'viem'
import type { PrivateKeyAccount } from 'viem/accounts'
import { house } from './house.ts'

export const WALLET_NAME = 'Test wallet'

interface Asked {
  method: string
  params: readonly unknown[]
}

interface RpcError {
  code: number
  message: string
  data?: unknown
}

type Answer = { result: unknown } | { error: RpcError }

interface Transaction {
  to: Hex
  data?: Hex
  value?: Hex
  gas?: Hex
}

class Refusal extends Error {
  constructor(readonly error: RpcError) {
    super(error.message)
  }
}

const refuse = (code: number, message: string): never => {
  throw new Refusal({ code, message })
}

export class TestWallet {
  /** Everything the page asked, in order. */
  readonly asked: Asked[] = []
  /** Transactions that were signed and sent. */
  readonly sent: Hex[] = []
  /** Says no to every transaction, as a person would. */
  declines = false
  /** Chains the wallet knows; others it must be told about first. */
  readonly knows = new Set<number>([house.chain_id])
  chainId = house.chain_id
  rpc = house.rpc

  constructor(readonly account: PrivateKeyAccount) {}

  countOf(method: string): number {
    return this.asked.filter((asked) => asked.method === method).length
  }

  /** What the page is answered. */
  async answer(method: string, params: readonly unknown[]): Promise<Answer> {
    this.asked.push({ method, params })
    try {
      return { result: await this.carryOut(method, params) }
    } catch (error) {
      if (error instanceof Refusal) return { error: error.error }
      return { error: { code: -32603, message: 'Failed to fetch' } }
    }
  }

  private async carryOut(method: string, params: readonly unknown[]): Promise<unknown> {
    switch (method) {
      case 'eth_requestAccounts':
      case 'eth_accounts':
        return [this.account.address]
      case 'eth_chainId':
        return toHex(this.chainId)
      case 'wallet_switchEthereumChain':
        return this.switchTo(Number((params[0] as { chainId: Hex }).chainId))
      case 'wallet_addEthereumChain':
        this.knows.add(Number((params[0] as { chainId: Hex }).chainId))
        return null
      case 'eth_sendTransaction':
        return this.send(params[0] as Transaction)
      default:
        return this.forward(method, params)
    }
  }

  private switchTo(chainId: number): null {
    if (!this.knows.has(chainId)) refuse(4902, 'Unrecognized chain ID. Try adding the chain first.')
    this.chainId = chainId
    return null
  }

  /** Signs here and sends: the page sees the hash alone. */
  private async send({ to, data, value, gas }: Transaction): Promise<Hex> {
    if (this.declines) refuse(4001, 'User rejected the request.')
    const chain = defineChain({
      id: this.chainId,
      name: 'the demo',
      nativeCurrency: { name: 'TAO', symbol: 'TAO', decimals: 18 },
      rpcUrls: { default: { http: [this.rpc] } },
    })
    const client = createWalletClient({ account: this.account, chain, transport: http(this.rpc) })
    const paid = value === undefined ? {} : { value: BigInt(value) }
    const limit = gas === undefined ? {} : { gas: BigInt(gas) }
    const hash = await client.sendTransaction({ to, ...(data ? { data } : {}), ...paid, ...limit })
    this.sent.push(hash)
    return hash
  }

  /** The wallet's own endpoint. */
  private async forward(method: string, params: readonly unknown[]): Promise<unknown> {
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })
    const headers = { 'content-type': 'application/json' }
    const answer = await fetch(this.rpc, { method: 'POST', headers, body })
    const said = (await answer.json()) as { result?: unknown; error?: RpcError }
    if (said.error) throw new Refusal(said.error)
    return said.result
  }
}

/** Runs in the page before its scripts: passes questions on, and announces itself. */
function announce(name: string): void {
  type Listener = (value: unknown) => void
  const ask = globalThis as unknown as { suretyTestWallet: (m: string, p: unknown) => Promise<Answer> }
  const listeners = new Map<string, Set<Listener>>()
  const provider = {
    request: async ({ method, params }: { method: string; params?: unknown }) => {
      const answer = await ask.suretyTestWallet(method, params ?? [])
      if ('error' in answer) throw Object.assign(new Error(answer.error.message), answer.error)
      if (method === 'wallet_switchEthereumChain') {
        const [{ chainId }] = params as [{ chainId: string }]
        for (const listener of listeners.get('chainChanged') ?? []) listener(chainId)
      }
      return answer.result
    },
    on: (event: string, listener: Listener) => {
      listeners.set(event, (listeners.get(event) ?? new Set()).add(listener))
    },
    removeListener: (event: string, listener: Listener) => listeners.get(event)?.delete(listener),
  }
  const info = { uuid: '6f1c4a52-6f0e-4c8e-9d0a-3a3f5b1f0a11', rdns: 'test.surety', name, icon: '' }
  const detail = Object.freeze({ info, provider })
  const event = () => dispatchEvent(new CustomEvent('eip6963:announceProvider', { detail }))
  addEventListener('eip6963:requestProvider', event)
  event()
}

/** Puts a wallet into a page that is still empty. */
export async function install(page: Page, account: PrivateKeyAccount): Promise<TestWallet> {
  const wallet = new TestWallet(account)
  await page.exposeFunction('suretyTestWallet', (method: string, params: readonly unknown[]) =>
    wallet.answer(method, params),
  )
  await page.addInitScript(announce, WALLET_NAME)
  return wallet
}

/** What a person does: the button, then the wallet in the list. */
export async function connect(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Connect wallet' }).click()
  await page.getByRole('button', { name: WALLET_NAME }).click()
  await page.getByRole('button', { name: 'Disconnect' }).waitFor()
}
