/** How to log in: the host key is the machine's identity on chain, so SSH need not trust what answers first. */

import type { Hex } from '@surety/client'
import { sshCommands } from './ssh-commands.ts'
import { Copy } from './text.tsx'

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
