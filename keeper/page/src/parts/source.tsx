/** Where a figure comes from, so that it can be checked: an answer of the API, calls on the contracts. */

import { network } from '../api/network.ts'
import { Copy } from './text.tsx'

export interface ContractCall {
  contract: 'vault' | 'escrow' | 'arbiter' | 'keepers'
  /** As Solidity writes it, with what it returns: `creditOf(address)(uint64)`. */
  signature: string
  args: readonly (string | number)[]
}

const NAMES = { vault: 'CollateralVault', escrow: 'RentalEscrow', arbiter: 'Arbiter', keepers: 'KeeperSet' } as const

function OneCall({ call }: { call: ContractCall }) {
  const address = network.value?.contracts[call.contract]
  const name = call.signature.split('(')[0]
  const command = `cast call ${address ?? 'ADDRESS'} "${call.signature}" ${call.args.join(' ')} --rpc-url URL`
  return (
    <li>
      <span class="mono wrap">
        {NAMES[call.contract]}.{name}({call.args.join(', ')})
      </span>{' '}
      <Copy text={command} label={`Copy the command for ${name}`} />
    </li>
  )
}

/** A disclosure after a heading. `of` names what it is the source of, for those who cannot see where it stands. */
export function Source({ of, api = [], calls = [] }: { of: string; api?: string[]; calls?: ContractCall[] }) {
  return (
    <details class="source">
      <summary>
        source<span class="visually-hidden"> of {of}</span>
      </summary>
      <ul>
        {api.map((path) => (
          <li key={path}>
            <a class="mono wrap" href={path} target="_blank" rel="noopener">
              {path}
            </a>
          </li>
        ))}
        {calls.map((call) => (
          <OneCall key={call.signature + call.args.join()} call={call} />
        ))}
      </ul>
    </details>
  )
}
