import { encodeErrorResult } from 'viem'
import { describe, expect, it } from 'vitest'
import { errorsAbi, explain, explainRevert, sentences } from '../src/chain/index.ts'

const VALUES: Record<string, unknown> = {
  address: '0x1111111111111111111111111111111111111111',
  bytes32: `0x${'22'.repeat(32)}`,
  bytes16: `0x${'33'.repeat(16)}`,
  bool: true,
  string: 'price',
}
const sample = (type: string): unknown =>
  VALUES[type] ?? (/^u?int(8|16|24|32|40|48)$/.test(type) ? 1_800_000_000 % 2 ** 8 : 1_800_000_000n)

describe('sentences', () => {
  it('has one for every custom error of every contract, and none for errors that do not exist', () => {
    const names = errorsAbi.map((error) => error.name).sort()
    expect(names.length).toBeGreaterThan(100)
    expect([...new Set(names)]).toEqual(Object.keys(sentences).sort())
  })

  it.each(errorsAbi.map((error) => [error.name, error] as const))('says %s in words', (name, error) => {
    const args = error.inputs.map((input) => sample(input.type))
    const data = encodeErrorResult({ abi: [error], errorName: name, args } as never)
    const explained = explainRevert(data)
    expect(explained).toMatchObject({ kind: 'contract', name })
    expect(explained.sentence).toMatch(/^[A-Z0-9].*\.$/)
    expect(explained.sentence).not.toMatch(/undefined|NaN|\[object/)
  })
})

describe('explain', () => {
  it('takes a refusal in the wallet calmly, however deep it is', () => {
    const nested = { cause: { cause: { code: 4001, message: 'User rejected the request.' } } }
    expect(explain(nested)).toEqual({ kind: 'rejected', sentence: 'You declined in your wallet. Nothing was sent.' })
  })

  it('finds a revert where wallets hide it', () => {
    const abi = errorsAbi.filter((error) => error.name === 'RentalEscrow_NoRental')
    const data = encodeErrorResult({ abi, errorName: 'RentalEscrow_NoRental', args: [7n] } as never)
    const thrown = { code: -32603, data: { originalError: { code: 3, data } } }
    expect(explain(thrown)).toMatchObject({ name: 'RentalEscrow_NoRental', sentence: 'There is no rental 7.' })
  })

  it('survives anything', () => {
    const circular: Record<string, unknown> = {}
    circular.cause = circular
    for (const thrown of [null, undefined, 'text', 5, circular, new Error('x'.repeat(9_999))]) {
      expect(explain(thrown).sentence.length).toBeLessThan(400)
    }
  })
})
