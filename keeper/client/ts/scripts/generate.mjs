// Writes src/chain/abi/*.ts from contracts/artifacts/*.json: the ABIs are those of the bytecode that is shipped.
// With --check it writes nothing and fails when a file is not what it would write.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'

const CONTRACTS = ['AppointedKeepers', 'Arbiter', 'CollateralVault', 'RentalBids', 'RentalEscrow', 'VotingPowerKeepers']
const artifacts = new URL('../../../../contracts/artifacts/', import.meta.url)
const out = new URL('../src/chain/abi/', import.meta.url)
const check = process.argv.includes('--check')

// `internalType` names Solidity's own types; nothing here reads them, and they are a third of the text.
const withoutInternalTypes = (key, value) => (key === 'internalType' ? undefined : value)
const lowerFirst = (name) => name[0].toLowerCase() + name.slice(1)

function source(name) {
  const { abi } = JSON.parse(readFileSync(new URL(`${name}.json`, artifacts), 'utf8'))
  const entries = abi.map((entry) => `  ${JSON.stringify(entry, withoutInternalTypes)},`)
  const head = `// Made by scripts/generate.mjs from contracts/artifacts/${name}.json; not to be edited.`
  return `${head}\nexport const ${lowerFirst(name)}Abi = [\n${entries.join('\n')}\n] as const\n`
}

const read = (path) => {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

mkdirSync(out, { recursive: true })
const index = CONTRACTS.map((name) => `export { ${lowerFirst(name)}Abi } from './${name}.ts'\n`).join('')
const files = [...CONTRACTS.map((name) => [`${name}.ts`, source(name)]), ['index.ts', index]]
const stale = files.filter(([name, text]) => read(new URL(name, out)) !== text)
if (check && stale.length > 0) {
  const names = stale.map(([name]) => name).join(', ')
  console.error(`error: ${names}: not what contracts/artifacts says; run npm run generate in keeper/client/ts`)
  process.exit(1)
}
for (const [name, text] of stale) writeFileSync(new URL(name, out), text)
