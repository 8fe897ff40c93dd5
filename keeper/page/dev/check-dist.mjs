// Builds into another folder and fails when keeper/page/dist, which is committed and embedded, is not the same.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const committed = join(root, 'dist')
const fresh = mkdtempSync(join(tmpdir(), 'surety-page-'))

function contents(folder, below = folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name)
    return entry.isDirectory() ? contents(path, below) : [[relative(below, path), readFileSync(path, 'latin1')]]
  })
}

try {
  const vite = join(root, 'node_modules/vite/bin/vite.js')
  execFileSync(process.execPath, [vite, 'build', '--outDir', fresh, '--logLevel', 'error'], {
    cwd: root,
    stdio: 'inherit',
  })
  const [want, have] = [new Map(contents(fresh)), new Map(contents(committed))]
  const names = [...new Set([...want.keys(), ...have.keys()])].filter((name) => want.get(name) !== have.get(name))
  if (names.length > 0) {
    console.error(`error: keeper/page/dist is not what its source makes (${names.join(', ')}); run npm run build there`)
    process.exitCode = 1
  }
} finally {
  rmSync(fresh, { recursive: true })
}
