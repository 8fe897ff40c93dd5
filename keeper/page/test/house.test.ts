import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const root = fileURLToPath(new URL('..', import.meta.url))
const client = join(root, '../client/ts')

function files(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return /^(node_modules|dist|lib|abi)$/.test(entry.name) ? [] : files(path)
    return /\.(tsx?|mjs|css|html)$/.test(entry.name) ? [path] : []
  })
}

const sources = [root, client].flatMap(files).map((path) => ({ path, text: readFileSync(path, 'utf8') }))
const page = sources.filter(({ path }) => path.startsWith(join(root, 'src')))

describe('house rules', () => {
  it('nothing that anybody wrote becomes HTML', () => {
    const ways = /dangerouslySetInnerHTML|innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function/
    expect(page.filter(({ text }) => ways.test(text)).map(({ path }) => path)).toEqual([])
  })

  it('a link with an address of its own making is one of a few that check it', () => {
    const open = page.filter(({ text }) => /href=\{(?!href\(|paths\.|path\})/.test(text)).map(({ path }) => path)
    expect(open).toEqual([join(root, 'src/parts/text.tsx')])
  })

  it('pages in new tabs do not get at this one', () => {
    const opens = page.flatMap(({ text }) => text.match(/<a[^>]*target="_blank"[^>]*>/g) ?? [])
    expect(opens.length).toBeGreaterThan(3)
    expect(opens.filter((tag) => !/rel="noopener/.test(tag))).toEqual([])
  })

  it('files have at most 400 lines and 120 columns', () => {
    const long = sources.filter(({ text }) => text.split('\n').length > 401).map(({ path }) => path)
    const wide = sources
      .filter(({ text }) => text.split('\n').some((line) => line.length > 120))
      .map(({ path }) => path)
    expect([...long, ...wide]).toEqual([])
  })

  it('functions have at most 70 lines', () => {
    const long = sources.flatMap(({ path, text }) => {
      const lines = text.split('\n')
      return lines.flatMap((line, start) => {
        if (!/^(export )?(default )?(async )?function\b/.test(line)) return []
        const length = lines.slice(start).findIndex((below) => below.startsWith('}')) + 1
        return length > 70 ? [`${path}: ${line} has ${length} lines`] : []
      })
    })
    expect(long).toEqual([])
  })

  it('viem is loaded only by the part that calls contracts', () => {
    const loads = page.filter(({ text }) => /from '(viem|@surety\/client\/chain)/.test(text)).map(({ path }) => path)
    expect(loads).toEqual([join(root, 'src/wallet/calls.ts')])
    const calls = page.filter(({ text }) => /import (?!type)[^\n]*from '[./a-z]*calls\.ts'/.test(text))
    expect(calls.map(({ path }) => path)).toEqual([])
  })
})
