/** What the contracts owe the connected account, and fetching it. */

import { useEffect, useState } from 'preact/hooks'
import { creditCall } from '../views/renting.ts'
import { account, ready } from '../wallet/session.ts'
import { connection, loadCalls } from '../wallet/transact.ts'
import { Act } from './act.tsx'
import { Source } from './source.tsx'
import { Tao } from './text.tsx'

const NAMES = { escrow: 'rent and refunds', vault: 'bonds', arbiter: 'appeal bonds' } as const
type Owing = keyof typeof NAMES

/** A view of a contract, read through the wallet; null while there is none, or while it does not answer. */
export function useView<T>(contract: Owing, name: string, args: readonly unknown[], round = 0): T | null {
  const [value, setValue] = useState<T | null>(null)
  const key = `${account.value} ${ready.value} ${contract} ${name} ${args.join()} ${round}`
  useEffect(() => {
    let gone = false
    const ask = async () => {
      const through = connection()
      if (!through || document.hidden) return
      const { read } = await loadCalls()
      const answer = await read<T>(through, contract, name, args)
      if (!gone) setValue(answer)
    }
    // What cannot be read is shown as not known; the wallet's endpoint may come back.
    const look = () => void ask().catch(() => gone || setValue(null))
    look()
    const timer = setInterval(look, 12_000)
    return () => {
      gone = true
      clearInterval(timer)
    }
  }, [key])
  return value
}

function One({ contract, of }: { contract: Owing; of: `0x${string}` }) {
  const [round, setRound] = useState(0)
  const credit = useView<bigint>(contract, 'creditOf', [of], round)
  return (
    <li>
      From {NAMES[contract]}: {credit === null ? <span class="muted">not known</span> : <Tao rao={credit} />}{' '}
      {credit !== null && credit > 0n ? (
        <Act
          label={`Withdraw credit from ${NAMES[contract]}`}
          call={() => creditCall(contract, of)}
          onDone={() => setRound(round + 1)}
        />
      ) : null}
    </li>
  )
}

export function Credit({ contracts }: { contracts: readonly Owing[] }) {
  const of = account.value
  if (!of) return null
  return (
    <section aria-labelledby="credit">
      <h2 id="credit">Credit</h2>
      <p>What the contracts owe you. It is paid to your own account on the chain, or to the one you chose there.</p>
      <ul class="plain">
        {contracts.map((contract) => (
          <One key={contract} contract={contract} of={of} />
        ))}
      </ul>
      <Source
        of="the credit"
        calls={contracts.map((contract) => ({ contract, signature: 'creditOf(address)(uint64)', args: [of] }))}
      />
    </section>
  )
}
