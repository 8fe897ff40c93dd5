/** How to log in: the host key is the machine's identity on chain, so SSH need not trust what answers first. */

import { type Hex, publicKeyLine } from '@surety/client'
import { KEY_FILE } from './key-field.tsx'
import { Copy } from './text.tsx'

/** The account that agents let tenants in as (`tenant_user` of the agent's configuration). */
const USER = 'tenant'
const ENDPOINT = /^(?:\[([0-9a-fA-F:.]+)\]|([0-9.]+)):(\d{1,5})$/

/** The commands, or null where the endpoint is none: it comes from the chain, and goes into a shell. */
export function sshCommands(machine: Hex, endpoint: string): { known: string; login: string } | null {
  const match = ENDPOINT.exec(endpoint)
  const host = match?.[1] ?? match?.[2]
  const port = match?.[3]
  if (!host || !port) return null
  const known = `echo '[${host}]:${port} ${publicKeyLine(machine)}' >> ~/.ssh/known_hosts`
  const login = `ssh -i ${KEY_FILE} -o StrictHostKeyChecking=yes -p ${port} ${USER}@${host}`
  return { known, login }
}

export function Ssh({ machine, endpoint }: { machine: Hex; endpoint: string | null }) {
  const commands = endpoint === null ? null : sshCommands(machine, endpoint)
  if (!commands) return <p class="note">The machine has set no address yet that one could log in at.</p>
  return (
    <ol class="ssh" aria-label="How to log in">
      <li>
        Tell SSH which host key to expect, the one on chain:
        <pre>
          <code>{commands.known}</code>
        </pre>
        <Copy text={commands.known} label="Copy the known_hosts command" />
      </li>
      <li>
        Log in:
        <pre>
          <code>{commands.login}</code>
        </pre>
        <Copy text={commands.login} label="Copy the ssh command" />
      </li>
    </ol>
  )
}
