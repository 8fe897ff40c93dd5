/** What every view needs of the network: chain, contracts, terms, class names. Asked once for all views. */

import { signal } from '@preact/signals'
import { type NetworkPage, paths } from '@surety/client'
import { api, DETAIL_MS } from './source.ts'

export const network = signal<NetworkPage | null>(null)
export const networkError = signal<Error | null>(null)

async function look(): Promise<void> {
  if (!document.hidden) {
    try {
      network.value = await api.get<NetworkPage>(paths.network())
      networkError.value = null
    } catch (error) {
      networkError.value = error as Error
    }
  }
}

/** Starts asking; the page calls it once. */
export function watchNetwork(): void {
  look()
  setInterval(look, DETAIL_MS)
}

export const retryNetwork = (): void => void look()

/** Chain time as the keeper last saw it, carried on by this clock; this clock alone before that. */
export const chainNow = (): number => Math.max(network.value?.at.at_secs ?? 0, Math.floor(Date.now() / 1_000))

export const className = (id: number): string =>
  network.value?.classes.find((entry) => entry.gpu_class === id)?.name ?? `class ${id}`
