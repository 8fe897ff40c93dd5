/** Runs the commands that the page shows, as a renter would, with a home of their own. */

import { spawn, spawnSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'

export interface Ran {
  code: number | null
  out: string
  err: string
}

export const hasSsh = (): boolean => spawnSync('ssh', ['-V']).status === 0

/** A command line in a shell, in `home`. Ends by itself: SSH has deadlines of its own. */
export function shell(home: string, command: string): Promise<Ran> {
  return new Promise((done) => {
    const child = spawn('bash', ['-c', command], { cwd: home, env: { ...process.env, HOME: home }, timeout: 20_000 })
    const ran: Ran = { code: null, out: '', err: '' }
    child.stdout.on('data', (bytes) => {
      ran.out += bytes
    })
    child.stderr.on('data', (bytes) => {
      ran.err += bytes
    })
    child.on('close', (code) => done({ ...ran, code }))
  })
}

export function homeFor(folder: string): string {
  mkdirSync(join(folder, '.ssh'), { recursive: true, mode: 0o700 })
  return folder
}

/**
 * The shown command with a command to run at its end. SSH takes its home from the password file and not from HOME, so
 * the file of known hosts is named; nobody is asked anything.
 */
export function logIn(home: string, shown: string, remote: string): string {
  const hosts = join(home, '.ssh', 'known_hosts')
  const alone = '-F none -o BatchMode=yes -o IdentitiesOnly=yes -o ConnectTimeout=8 -o GlobalKnownHostsFile=none'
  return `${shown.replace(/^ssh /, `ssh ${alone} -o UserKnownHostsFile='${hosts}' `)} ${remote}`
}
