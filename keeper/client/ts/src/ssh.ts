/** Ed25519 SSH keys: reading public key lines, making keys, writing private key files as OpenSSH does. */

const NAME = 'ssh-ed25519'
const KEY_BYTES = 32
const LINE_MAX = 4_096

/** A public key as the contracts take it. */
export type Key32 = `0x${string}`

/** A key made here: what goes to the chain, and the two files that SSH needs. */
export interface NewKey {
  key: Key32
  publicLine: string
  privateFile: string
}

const ascii = (text: string): Uint8Array => new TextEncoder().encode(text)
const toHex = (bytes: Uint8Array): Key32 =>
  `0x${Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')}`
const toBase64 = (bytes: Uint8Array): string => btoa(String.fromCharCode(...bytes))

function fromBase64(text: string): Uint8Array {
  try {
    return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0))
  } catch {
    throw new Error('The key is damaged: its second part is no base64. Copy the whole line of the .pub file.')
  }
}

function join(...parts: Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

const uint32 = (value: number): Uint8Array =>
  new Uint8Array([value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255])
/** SSH's string: length, then bytes. */
const sshString = (bytes: Uint8Array): Uint8Array => join(uint32(bytes.length), bytes)
const publicBlob = (key: Uint8Array): Uint8Array => join(sshString(ascii(NAME)), sshString(key))

/** The 32 bytes of an `ssh-ed25519 AAAA... comment` line. Anything else is refused with what to do about it. */
export function parsePublicKey(line: string): Key32 {
  if (line.length > LINE_MAX) throw new Error('That is too long for one public key. Paste one line of a .pub file.')
  const text = line.trim()
  if (/PRIVATE KEY/.test(text))
    throw new Error('That is a private key. Paste the public one: the line in the .pub file.')
  if (/[\r\n]/.test(text)) throw new Error('Paste one key only, in one line.')
  const [kind, encoded] = text.split(/\s+/)
  if (kind !== NAME || !encoded) {
    throw new Error('Machines take ed25519 keys only: a line that begins with ssh-ed25519 AAAA.')
  }
  const blob = fromBase64(encoded)
  const head = blob.slice(0, blob.length - KEY_BYTES)
  const want = publicBlob(new Uint8Array(KEY_BYTES)).slice(0, -KEY_BYTES)
  if (toHex(head) !== toHex(want)) throw new Error('The key is damaged or incomplete. Copy the whole line.')
  const key = toHex(blob.slice(-KEY_BYTES))
  if (/^0x0+$/.test(key)) throw new Error('A key of zeros is no key.')
  return key
}

/** The line that `authorized_keys` and `.pub` files hold. */
export function publicKeyLine(key: Key32, comment = ''): string {
  const bytes = Uint8Array.from(key.slice(2).match(/../g) ?? [], (pair) => Number.parseInt(pair, 16))
  return `${NAME} ${toBase64(publicBlob(bytes))}${comment ? ` ${comment}` : ''}`
}

/** An `openssh-key-v1` file without a passphrase. `check` are four random bytes that the format asks for twice. */
export function privateKeyFile(seed: Uint8Array, key: Uint8Array, comment: string, check: Uint8Array): string {
  const secret = join(check, check, publicBlob(key), sshString(join(seed, key)), sshString(ascii(comment)))
  const padding = Uint8Array.from({ length: (8 - (secret.length % 8)) % 8 }, (_, index) => index + 1)
  const none = sshString(ascii('none'))
  const file = join(
    ascii('openssh-key-v1\0'),
    none,
    none,
    sshString(new Uint8Array()),
    uint32(1),
    sshString(publicBlob(key)),
    sshString(join(secret, padding)),
  )
  const lines = toBase64(file).match(/.{1,70}/g) ?? []
  return `-----BEGIN OPENSSH PRIVATE KEY-----\n${lines.join('\n')}\n-----END OPENSSH PRIVATE KEY-----\n`
}

/** Makes a key with the platform's own generator. It never leaves this program but through what is returned. */
export async function generateKey(comment = 'surety'): Promise<NewKey> {
  const pair = (await crypto.subtle.generateKey({ name: 'Ed25519' }, true, ['sign', 'verify']).catch(() => {
    throw new Error('This browser cannot make ed25519 keys. Run ssh-keygen -t ed25519 and paste the .pub file.')
  })) as CryptoKeyPair
  const key = new Uint8Array(await crypto.subtle.exportKey('raw', pair.publicKey))
  // PKCS #8 of an ed25519 key is a fixed head of 16 bytes and the seed.
  const seed = new Uint8Array(await crypto.subtle.exportKey('pkcs8', pair.privateKey)).slice(-KEY_BYTES)
  const check = crypto.getRandomValues(new Uint8Array(4))
  const hex = toHex(key)
  return { key: hex, publicLine: publicKeyLine(hex, comment), privateFile: privateKeyFile(seed, key, comment, check) }
}
