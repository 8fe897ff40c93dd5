// README's way of trying everything, run word for word against the live market: what a new user reads must work. Prints
// the transcript; one more test of scripts/page-e2e.
//
// SURETY_HOUSE: facts of the demo's event `kept`; SURETY_PROGRAMS: where `surety` is.

import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))
const house = JSON.parse(readFileSync(process.env.SURETY_HOUSE, 'utf8'))
/** What the demo prints and README leaves to the reader. */
const told = { CHAIN: house.rpc, KEYS: house.keys, MACHINE: house.machines[1].machine }
/** They ask before money moves; here nobody is there to be asked. */
const ASKING = /^surety (rent|extend|end|credit withdraw)\b/

/** Lines of the block of README's "Try it" that begins with `export`. */
function lines() {
  const section = readFileSync(`${root}/README.md`, 'utf8').split('\n## Try it\n')[1].split('\n## ')[0]
  const block = section
    .split('```sh\n')
    .find((part) => part.startsWith('export '))
    .split('```')[0]
  const code = block.split('\n').map((line) => line.split(' #')[0].trim())
  return code.filter(Boolean).map((line) => line.replace(/\b(CHAIN|KEYS|MACHINE)\b/g, (name) => told[name]))
}

/** The settings that README exports; its PATH is that of a build in the checkout. */
function settings(line) {
  const pairs = line
    .split(' ')
    .slice(1)
    .map((pair) => pair.split('='))
  const given = Object.fromEntries(pairs.filter(([name]) => name.startsWith('SURETY_')))
  // scripts/demo writes into the checkout's own folder; a test has one of its own.
  const SURETY_DEPLOYMENTS = dirname(house.deployment)
  return { ...process.env, ...given, SURETY_DEPLOYMENTS, PATH: `${process.env.SURETY_PROGRAMS}:${process.env.PATH}` }
}

const [exported, ...commands] = lines()
const env = settings(exported)
if (commands.length < 7) throw new Error(`README's "Try it" has only ${commands.length} commands`)
for (const command of commands) {
  const asked = ASKING.test(command) ? `${command} --yes` : command
  console.log(`$ ${asked}`)
  const ran = spawnSync('bash', ['-c', asked], { cwd: root, env, encoding: 'utf8', timeout: 120_000 })
  console.log(`${ran.stdout}${ran.stderr}`)
  if (ran.status !== 0) throw new Error(`${command}: status ${ran.status}`)
}
