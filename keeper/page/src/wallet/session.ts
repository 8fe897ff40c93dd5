/** The connected wallet: account and chain, followed as they change. */

import { computed, signal } from '@preact/signals'
import type { Hex } from '@surety/client'
import { network } from '../api/network.ts'
import { addChainParameter, chainInfo, hexId } from './chains.ts'
import { known, type Provider, type Wallet } from './discover.ts'

const KEY = 'surety.wallet'

export const wallet = signal<Wallet | null>(null)
export const account = signal<Hex | null>(null)
export const chainId = signal<number | null>(null)

/** The chain that the keeper's contracts are on; null: not known yet. */
export const wantedChainId = computed(() => network.value?.chain_id ?? null)
export const wrongChain = computed(
  () => account.value !== null && wantedChainId.value !== null && chainId.value !== wantedChainId.value,
)
/** Whether contracts can be read and called through the wallet now. */
export const ready = computed(() => account.value !== null && wantedChainId.value !== null && !wrongChain.value)

function setAccount(accounts: unknown): void {
  const first = Array.isArray(accounts) ? accounts[0] : null
  account.value = typeof first === 'string' && /^0x[0-9a-fA-F]{40}$/.test(first) ? (first.toLowerCase() as Hex) : null
}

const onAccounts = (accounts: unknown): void => setAccount(accounts)
const onChain = (id: unknown): void => {
  chainId.value = Number(id)
}

function remember(id: string | null): void {
  try {
    if (id === null) localStorage.removeItem(KEY)
    else localStorage.setItem(KEY, id)
  } catch {
    // Without storage the wallet is asked for again next time.
  }
}

/** Connects. `eth_requestAccounts` opens the wallet; `eth_accounts` asks what is allowed already. */
export async function connect(chosen: Wallet, method = 'eth_requestAccounts'): Promise<void> {
  const accounts = await chosen.provider.request({ method })
  if (!Array.isArray(accounts) || accounts.length === 0) return
  disconnect()
  chainId.value = Number(await chosen.provider.request({ method: 'eth_chainId' }))
  chosen.provider.on?.('accountsChanged', onAccounts)
  chosen.provider.on?.('chainChanged', onChain)
  wallet.value = chosen
  setAccount(accounts)
  remember(chosen.id)
}

/** Forgets the wallet here; the wallet itself keeps its permission. */
export function disconnect(): void {
  wallet.value?.provider.removeListener?.('accountsChanged', onAccounts)
  wallet.value?.provider.removeListener?.('chainChanged', onChain)
  wallet.value = null
  account.value = null
  chainId.value = null
  remember(null)
}

/** Takes up the wallet of last time, without opening it. */
export async function resume(): Promise<void> {
  try {
    const id = localStorage.getItem(KEY)
    const last = id ? known().find((entry) => entry.id === id) : undefined
    if (last) await connect(last, 'eth_accounts')
  } catch {
    // Whoever wants to connect has a button.
  }
}

const codeOf = (error: unknown): unknown => {
  const { code, data } = error as { code?: unknown; data?: { originalError?: { code?: unknown } } }
  return data?.originalError?.code ?? code
}

/** Switches the wallet to the keeper's chain, adding it where the wallet does not know it (4902). */
export async function switchChain(): Promise<void> {
  const [provider, id] = [wallet.value?.provider, wantedChainId.value]
  if (!provider || id === null) return
  try {
    await provider.request({ method: 'wallet_switchEthereumChain', params: [{ chainId: hexId(id) }] })
  } catch (error) {
    const chain = chainInfo(id)
    if (codeOf(error) !== 4902 || !chain) throw error
    await addChain(provider, id)
  }
  chainId.value = Number(await provider.request({ method: 'eth_chainId' }))
}

async function addChain(provider: Provider, id: number): Promise<void> {
  const chain = chainInfo(id)
  if (!chain) throw new Error(`Chain ${id} is not one that this page can describe. Add it in your wallet by hand.`)
  await provider.request({ method: 'wallet_addEthereumChain', params: [addChainParameter(chain)] })
  await provider.request({ method: 'wallet_switchEthereumChain', params: [{ chainId: hexId(id) }] })
}
