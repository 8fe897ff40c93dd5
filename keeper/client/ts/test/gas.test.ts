import { describe, expect, it } from 'vitest'
import { gasLimit } from '../src/chain/index.ts'

describe('gasLimit', () => {
  it('is a quarter more than the estimate, since a later block may take more', () => {
    expect(gasLimit(40_062n)).toBe(50_077n)
    expect(gasLimit(0n)).toBe(0n)
  })

  it('is bounded, whatever a node says', () => {
    expect(gasLimit(12_000_000n)).toBe(15_000_000n)
    expect(gasLimit(2n ** 256n)).toBe(15_000_000n)
  })
})
