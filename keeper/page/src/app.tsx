/** The frame: header, the view that the address names, footer. */

import { useEffect, useRef } from 'preact/hooks'
import { network } from './api/network.ts'
import { WalletButton, WrongChain } from './parts/wallet-bar.tsx'
import { href, route, type View } from './route.ts'
import { nextTheme, theme } from './theme.ts'
import { MachineView } from './views/machine.tsx'
import { Market } from './views/market.tsx'
import { MinerView } from './views/miner.tsx'
import { NetworkView } from './views/network.tsx'
import { RentalsView } from './views/rentals.tsx'

const LINKS: readonly (readonly [View, string])[] = [
  ['market', 'Market'],
  ['rentals', 'Rentals'],
  ['miner', 'Miner'],
  ['network', 'Network'],
]

const TITLES: Readonly<Record<View, string>> = {
  market: 'Market',
  machine: 'Machine',
  rent: 'Rent',
  rentals: 'Rentals',
  miner: 'Miner',
  network: 'Network',
}

function Current() {
  switch (route.value.view) {
    case 'machine':
    case 'rent':
      return <MachineView key={route.value.id} />
    case 'rentals':
      return <RentalsView />
    case 'miner':
      return <MinerView key={route.value.id} />
    case 'network':
      return <NetworkView />
    default:
      return <Market />
  }
}

function Header() {
  const { view } = route.value
  return (
    <header>
      <a class="brand" href={href('market')}>
        Surety
      </a>
      <nav aria-label="Views">
        {LINKS.map(([to, text]) => (
          <a key={to} href={href(to)} aria-current={view === to ? 'page' : undefined}>
            {text}
          </a>
        ))}
      </nav>
      <div class="tools">
        <button type="button" title="Theme" onClick={nextTheme}>
          <span class="visually-hidden">Theme: </span>
          {theme.value}
        </button>
        <WalletButton />
      </div>
    </header>
  )
}

export function App() {
  const main = useRef<HTMLElement>(null)
  const { view, id } = route.value
  const last = useRef(`${view}/${id}`)
  useEffect(() => {
    document.title = `${TITLES[view]} – Surety`
    // Whoever cannot see that another view came is taken to it; the first one is left alone.
    if (last.current !== `${view}/${id}`) main.current?.focus()
    last.current = `${view}/${id}`
  }, [view, id])
  const keeper = network.value?.keeper
  return (
    <>
      <button type="button" class="skip" onClick={() => main.current?.focus()}>
        Skip to content
      </button>
      <Header />
      <main ref={main} tabIndex={-1}>
        <WrongChain />
        <Current />
      </main>
      <footer>
        <p>
          Served by keeper <span class="mono wrap">{keeper ?? '…'}</span>. It can be wrong: every figure names its
          source. <a href="/v1/openapi.json">The API</a>
        </p>
      </footer>
    </>
  )
}
