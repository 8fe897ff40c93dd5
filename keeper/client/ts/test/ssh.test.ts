import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { generateKey, parsePublicKey, publicKeyLine } from '../src/index.ts'

/** What `ssh-keygen -y` says the public key of a private key file is. */
function publicHalf(privateFile: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'surety-key-'))
  try {
    const path = join(folder, 'key')
    writeFileSync(path, privateFile, { mode: 0o600 })
    return execFileSync('ssh-keygen', ['-y', '-f', path], { encoding: 'utf8' }).trim()
  } finally {
    rmSync(folder, { recursive: true })
  }
}

describe('keys made here', () => {
  it('are read by ssh-keygen, whatever the length of their comment', async () => {
    for (const comment of ['', 'a', 'surety', 'x'.repeat(40)]) {
      const made = await generateKey(comment)
      expect(publicHalf(made.privateFile)).toBe(made.publicLine)
      expect(parsePublicKey(made.publicLine)).toBe(made.key)
    }
  })
})

describe('public key lines', () => {
  const key = `0x${'ab'.repeat(32)}` as const

  it('are read back, with and without a comment', () => {
    expect(parsePublicKey(publicKeyLine(key))).toBe(key)
    expect(parsePublicKey(`  ${publicKeyLine(key, 'me@here')}\n`)).toBe(key)
  })

  it('refuse everything else, saying what to do', () => {
    const line = publicKeyLine(key)
    const bad: [string, RegExp][] = [
      ['', /ed25519 keys only/],
      ['ssh-rsa AAAAB3NzaC1yc2E', /ed25519 keys only/],
      [line.slice(0, -8), /damaged/],
      [line.replace('AAAAC3', 'AAAAD3'), /damaged/],
      ['ssh-ed25519 !!!!', /damaged/],
      [publicKeyLine(`0x${'00'.repeat(32)}`), /zeros/],
      [`${line}\n${line}`, /one key only/],
      ['-----BEGIN OPENSSH PRIVATE KEY-----', /private key/],
      ['x'.repeat(5_000), /too long/],
    ]
    for (const [text, why] of bad) expect(() => parsePublicKey(text)).toThrow(why)
  })
})
