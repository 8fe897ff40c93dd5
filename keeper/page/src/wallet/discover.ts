/** Wallets in this browser: those that announce themselves (EIP-6963), and the one at `window.ethereum` (EIP-1193). */

import { signal } from '@preact/signals'
import { strangersText } from '../parts/format.ts'

export interface Provider {
  request(args: { method: string; params?: unknown }): Promise<unknown>
  on?(event: string, listener: (value: never) => void): void
  removeListener?(event: string, listener: (value: never) => void): void
}

export interface Wallet {
  /** Reverse domain name; `injected` for `window.ethereum`. */
  id: string
  name: string
  /** A data URI of an image, or empty. */
  icon: string
  provider: Provider
}

/** Any script in this browser may announce a wallet. */
const WALLETS_MAX = 16
export const wallets = signal<readonly Wallet[]>([])

const isProvider = (value: unknown): value is Provider =>
  typeof value === 'object' && value !== null && typeof (value as Provider).request === 'function'

/** Icons other than images in data URIs would be requests to elsewhere. */
const safeIcon = (icon: unknown): string =>
  typeof icon === 'string' && /^data:image\//.test(icon) && icon.length < 200_000 ? icon : ''

function announced(event: Event): void {
  const { info, provider } = ((event as CustomEvent).detail ?? {}) as {
    info?: Record<string, unknown>
    provider?: unknown
  }
  if (!info || !isProvider(provider) || wallets.value.length >= WALLETS_MAX) return
  const id = String(info.rdns ?? info.uuid ?? '').slice(0, 100)
  if (wallets.value.some((wallet) => wallet.id === id)) return
  wallets.value = [
    ...wallets.value,
    { id, name: strangersText(String(info.name ?? id), 60), icon: safeIcon(info.icon), provider },
  ]
}

/** Wallets that are there now; an announced one hides the anonymous one. */
export function known(): readonly Wallet[] {
  const injected = (globalThis as { ethereum?: unknown }).ethereum
  if (wallets.value.length > 0 || !isProvider(injected)) return wallets.value
  return [{ id: 'injected', name: 'Browser wallet', icon: '', provider: injected }]
}

/** Starts listening, and asks wallets to announce themselves. */
export function discover(): void {
  addEventListener('eip6963:announceProvider', announced)
  dispatchEvent(new Event('eip6963:requestProvider'))
}
