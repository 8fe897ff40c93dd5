// @vitest-environment node
import { beforeAll, describe, expect, it, vi } from 'vitest'

let route: typeof import('../src/route.ts')
beforeAll(async () => {
  vi.stubGlobal('location', { hash: '' })
  vi.stubGlobal('addEventListener', () => undefined)
  route = await import('../src/route.ts')
})

describe('addresses', () => {
  it('are read back as they were made', () => {
    const id = `0x${'ab'.repeat(32)}`
    const { view, id: read, query } = route.parseRoute(route.href('machine', id, { a: '1 2' }))
    expect([view, read, query.get('a')]).toEqual(['machine', id, '1 2'])
  })

  it('that make no sense are the market', () => {
    for (const hash of ['', '#', '#/nothing', '#/../x', '#//evil', '#market']) {
      expect(['market', '']).toEqual([route.parseRoute(hash).view, route.parseRoute(hash).id])
    }
  })

  it('carry nothing but accounts and machines', () => {
    expect(route.parseRoute('#/machine/<script>').id).toBe('')
    expect(route.parseRoute(`#/miner/0x${'AB'.repeat(20)}`).id).toBe(`0x${'ab'.repeat(20)}`)
  })
})
