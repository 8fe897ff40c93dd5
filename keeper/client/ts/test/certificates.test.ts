import { readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Hex, hashTypedData } from 'viem'
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts'
import { afterEach, describe, expect, it } from 'vitest'
import { certificateTypedData, collectCertificates, compact, type Wanted } from '../src/chain/index.ts'
import { isQuorum, type Keeper } from '../src/index.ts'

const MACHINE = `0x${'0c'.repeat(32)}` as Hex
const EVIDENCE = `0x${'0e'.repeat(32)}` as Hex
const ESCROW = `0x${'12'.repeat(20)}` as Hex
const WANTED: Wanted = {
  chainId: 964,
  escrow: ESCROW,
  machine: MACHINE,
  registration: 3,
  gpuClass: 3,
  gpuCount: 8,
  notBeforeSecs: 1_000,
}
const GOOD = {
  machine: MACHINE,
  registration: 3,
  gpu_class: 3,
  gpu_count: 8,
  measured_at_secs: 2_000,
  evidence: EVIDENCE,
}

const servers: Server[] = []
afterEach(() => {
  for (const server of servers.splice(0)) server.close()
})

/** A keeper's API that answers every question with `body`. */
async function serve(body: string): Promise<string> {
  const server = createServer((_, response) => response.end(body))
  servers.push(server)
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

async function keeper(weight: number, change: object = {}): Promise<Keeper> {
  const account = privateKeyToAccount(generatePrivateKey())
  const statement = { ...GOOD, ...change }
  const signature = await account.signTypedData(certificateTypedData(WANTED.chainId, WANTED.escrow, statement))
  const url = await serve(JSON.stringify({ certificates: [{ statement, signer: account.address, signature }] }))
  return { account: account.address.toLowerCase() as Hex, weight: BigInt(weight), active: true, url }
}

describe('digests', () => {
  it('are those that Solidity and Rust make', () => {
    const vectors = JSON.parse(readFileSync(new URL('../../../../tests/vectors/digests.json', import.meta.url), 'utf8'))
    expect(vectors.certificates.length).toBeGreaterThan(0)
    for (const vector of vectors.certificates) {
      const typed = certificateTypedData(vector.chainId, vectors.escrow, {
        machine: vector.machine,
        registration: Number(vector.registration),
        gpu_class: Number(vector.gpuClass),
        gpu_count: Number(vector.gpuCount),
        measured_at_secs: Number(vector.measuredAt),
        evidence: vector.evidence,
      })
      expect(hashTypedData(typed)).toBe(vector.digest)
    }
  })
})

describe('signatures', () => {
  it('of the upper half are refused, as the contracts do', () => {
    const high = `0x${'11'.repeat(32)}${'aa'.repeat(32)}1b` as Hex
    expect(() => compact(high)).toThrow(/upper half/)
  })

  it('carry their parity in the top bit', () => {
    const of = (v: string) => `0x${'11'.repeat(32)}${'22'.repeat(32)}${v}` as Hex
    expect(compact(of('1b'))).toEqual({ r: `0x${'11'.repeat(32)}`, vs: `0x${'22'.repeat(32)}` })
    expect(compact(of('1c')).vs).toBe(`0xa2${'22'.repeat(31)}`)
  })
})

describe('a quorum', () => {
  const of = (...weights: number[]) => weights.map((weight, index) => ({ account: `${index}`, weight: BigInt(weight) }))

  it('is two, two thirds, and half of the rest without the heaviest', () => {
    const all = of(80, 11, 9)
    const [heavy, middle, light] = all as [(typeof all)[0], (typeof all)[0], (typeof all)[0]]
    expect(isQuorum([heavy], all)).toBe(false)
    expect(isQuorum([heavy, light], all)).toBe(false)
    expect(isQuorum([heavy, middle], all)).toBe(true)
    expect(isQuorum([middle, light], all)).toBe(false)
  })
})

describe('collecting certificates', () => {
  it('packs the fewest that are a quorum, sorted by signer', async () => {
    const keepers = [await keeper(10), await keeper(30), await keeper(30), await keeper(30)]
    const { certificates, signers, failures } = await collectCertificates(keepers, WANTED)
    expect(failures).toEqual([])
    expect(signers.length).toBe(4)
    expect(certificates.length).toBe(3)
    const heavy = keepers.slice(1).sort((a, b) => (a.account < b.account ? -1 : 1))
    const first = await collectCertificates([heavy[0] as Keeper, heavy[1] as Keeper], WANTED)
    expect(certificates[0]).toEqual(first.certificates[0])
    expect(certificates[1]).toEqual(first.certificates[1])
  })

  it('does without keepers that fail, and says why each did', async () => {
    const bad: Keeper[] = [
      { ...(await keeper(1)), url: 'javascript:alert(1)' },
      { ...(await keeper(1)), url: await serve('not json') },
      { ...(await keeper(1)), url: await serve('x'.repeat(300 * 1024)) },
      { ...(await keeper(1)), url: await serve('{"certificates":[{"statement":{}},null,7]}') },
      await keeper(1, { measured_at_secs: 999 }),
      await keeper(1, { registration: 2 }),
      await keeper(1, { gpu_count: 7 }),
      await keeper(1, { machine: EVIDENCE }),
    ]
    const keepers = [await keeper(50), await keeper(50), ...bad]
    const { certificates, failures } = await collectCertificates(keepers, WANTED)
    expect(certificates.length).toBe(2)
    expect(failures.map((failure) => failure.why)).toEqual([
      expect.stringMatching(/no http/),
      expect.stringMatching(/not JSON/),
      expect.stringMatching(/more than/),
      expect.stringMatching(/no certificate/),
      expect.stringMatching(/too old/),
      expect.stringMatching(/another registration/),
      expect.stringMatching(/does not cover/),
      expect.stringMatching(/another machine/),
    ])
  })

  it('counts only signatures of active keepers, whoever hands them out', async () => {
    const [one, two, stranger] = [await keeper(10), await keeper(10), await keeper(10)]
    const sleeping = { ...two, active: false }
    expect((await collectCertificates([one, sleeping], WANTED)).certificates).toEqual([])
    const impostor = { ...two, url: stranger.url }
    expect((await collectCertificates([one, impostor], WANTED)).signers.length).toBe(1)
  })
})
