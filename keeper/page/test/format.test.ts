import { describe, expect, it } from 'vitest'
import { strangersText } from '../src/parts/format.ts'

describe('text of a stranger', () => {
  it('shows a mark for what steers a terminal or turns text round', () => {
    expect(strangersText('a\u0000b\u001b[31m\u202ec\u2028d', 120)).toBe('a\ufffdb\ufffd[31m\ufffdc\ufffdd')
  })

  it('is cut, and otherwise as it was written', () => {
    expect(strangersText('https://ключ.example/<b>', 120)).toBe('https://ключ.example/<b>')
    expect(strangersText('x'.repeat(200), 60)).toHaveLength(60)
  })
})
