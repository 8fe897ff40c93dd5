/** How to log in to a machine, as commands. */

import { type Hex, publicKeyLine } from '@surety/client'

/** Name of the file that a private key made here is saved as. */
export const KEY_FILE = 'surety_ed25519'

/** The account that agents let tenants in as (`tenant_user` of the agent's configuration). */
const USER = 'tenant'
const ENDPOINT = /^(?:\[([0-9a-fA-F:.]+)\]|([0-9.]+)):(\d{1,5})$/

/** The commands, or null where the endpoint is none: it comes from the chain, and goes into a shell. */
export function sshCommands(machine: Hex, endpoint: string): { known: string; login: string } | null {
  const match = ENDPOINT.exec(endpoint)
  const host = match?.[1] ?? match?.[2]
  const port = match?.[3]
  if (!host || !port) return null
  // SSH looks for hosts at its own port by their bare name.
  const name = port === '22' ? host : `[${host}]:${port}`
  const known = `echo '${name} ${publicKeyLine(machine)}' >> ~/.ssh/known_hosts`
  const login = `ssh -i ${KEY_FILE} -o StrictHostKeyChecking=yes -p ${port} ${USER}@${host}`
  return { known, login }
}
