/** Connecting a wallet, and what is wrong with the one that is connected. */

import { signal } from '@preact/signals'
import { useRef } from 'preact/hooks'
import { chainName } from '../wallet/chains.ts'
import { known, type Wallet, wallets } from '../wallet/discover.ts'
import { account, chainId, connect, disconnect, switchChain, wantedChainId, wrongChain } from '../wallet/session.ts'
import { loadCalls } from '../wallet/transact.ts'
import { shortHex } from './format.ts'

const words = signal('')

async function attempt(action: () => Promise<void>): Promise<boolean> {
  words.value = ''
  try {
    await action()
    return true
  } catch (error) {
    const { explain } = await loadCalls()
    words.value = explain(error).sentence
    return false
  }
}

function Choice({ of, onDone }: { of: Wallet; onDone: () => void }) {
  const choose = async () => {
    if (await attempt(() => connect(of))) onDone()
  }
  return (
    <li>
      <button type="button" class="wide" onClick={choose}>
        {of.icon ? <img src={of.icon} alt="" width={20} height={20} /> : null} {of.name}
      </button>
    </li>
  )
}

/** The button in the header, and the dialog it opens. */
export function WalletButton() {
  const dialog = useRef<HTMLDialogElement>(null)
  const close = () => dialog.current?.close()
  if (account.value) {
    return (
      <div class="wallet">
        <span class="mono" title={account.value}>
          {shortHex(account.value)}
        </span>{' '}
        <button type="button" onClick={disconnect}>
          Disconnect
        </button>
      </div>
    )
  }
  const list = wallets.value.length > 0 ? wallets.value : known()
  return (
    <div class="wallet">
      <button type="button" onClick={() => dialog.current?.showModal()}>
        Connect wallet
      </button>
      <dialog ref={dialog} aria-label="Choose a wallet">
        <h2>Choose a wallet</h2>
        {list.length === 0 ? (
          <p>No wallet was found in this browser. Install one that speaks EIP-1193, then load this page again.</p>
        ) : (
          <ul class="plain">
            {list.map((of) => (
              <Choice key={of.id} of={of} onDone={close} />
            ))}
          </ul>
        )}
        <p role="status">{words.value}</p>
        <button type="button" onClick={close}>
          Close
        </button>
      </dialog>
    </div>
  )
}

/** Shown on every view while the wallet is on another chain than the contracts. */
export function WrongChain() {
  if (!wrongChain.value || wantedChainId.value === null) return null
  const name = chainName(wantedChainId.value)
  return (
    <div class="note warn" role="alert">
      <p>
        Your wallet is on {chainName(chainId.value ?? 0)}. These contracts are on {name}. {words.value}
      </p>
      <button type="button" onClick={() => attempt(switchChain)}>
        Switch to {name}
      </button>
    </div>
  )
}
