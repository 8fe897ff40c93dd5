// Deterministic answers in the shapes of keeper/market/src/wire.rs, for looking at the page without a chain.
// Nothing here is a measurement of anything.

export const DAY = 86_400
export const CHAIN_ID = 31337

/** A small generator (mulberry32): the same machines every time. */
function random(seed) {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

const hex = (length, ...numbers) => {
  const next = random(numbers.reduce((sum, n) => (Math.imul(sum, 31) + n) | 0, 7))
  let text = '0x'
  while (text.length < 2 + length * 2)
    text += Math.floor(next() * 256)
      .toString(16)
      .padStart(2, '0')
  return text
}

const CLASSES = [
  [1, 'B200', 1_561_000_000, 9_000],
  [2, 'H200', 1_106_000_000, 6_200],
  [3, 'H100 SXM', 721_000_000, 4_800],
  [5, 'A100 SXM', 217_000_000, 2_000],
  [7, 'L40S', 189_000_000, 1_500],
  [10, 'RTX 5090', 98_000_000, 900],
  [11, 'RTX 4090', 70_000_000, 600],
]
const COUNTS = [1, 2, 4, 8, 8]
export const miner = (n) => hex(20, 1, n)
export const renter = (n) => hex(20, 2, n)
export const machineId = (n) => hex(32, 3, n)

function strip(next, age) {
  let text = ''
  for (let day = 0; day < 90; day += 1) {
    const fault = next() < 0.02
    text += day < 90 - age ? '.' : next() < 0.25 ? '-' : fault ? String(Math.floor(next() * 9)) : '9'
  }
  return text
}

const uptime = (text) => {
  const days = [...text].filter((letter) => letter >= '0')
  const share = days.reduce((sum, letter) => sum + Number(letter), 0)
  return days.length === 0 ? null : Math.floor((share * 1_000_000) / (9 * days.length))
}

function availability(next) {
  const at = next()
  if (at < 0.5) return 'free'
  if (at < 0.8) return 'rented'
  if (at < 0.84) return 'resting'
  if (at < 0.9) return 'unverified'
  return at < 0.94 ? 'underbonded' : 'not_offered'
}

export function machine(n, now) {
  const next = random(n * 977 + 5)
  const [gpuClass, name, bond, price] = CLASSES[Math.floor(next() * CLASSES.length)]
  const count = COUNTS[Math.floor(next() * COUNTS.length)]
  const state = n === 0 ? 'free' : availability(next)
  const days = strip(next, Math.ceil(next() * 120))
  const cents = BigInt(Math.floor(price * count * (0.7 + next() * 0.6)))
  const offer = {
    gpu_class: gpuClass,
    gpu_count: count,
    price_rao_per_sec: String(cents),
    min_duration_secs: 600,
    max_duration_secs: 30 * DAY,
    turnaround_secs: 300,
    expires_at_secs: now + 20 * DAY,
    offer_hash: hex(32, 4, n),
  }
  const whole = BigInt(bond * count)
  return {
    machine: machineId(n),
    registration: n + 1,
    miner: miner(n % 97),
    hotkey: hex(32, 5, n % 97),
    uid: n % 256,
    endpoint: `198.51.100.${n % 250}:22`,
    availability: state,
    class_name: state === 'not_offered' ? null : name,
    offer: state === 'not_offered' ? null : offer,
    bond: {
      free_rao: String(state === 'rented' ? whole / 5n : whole),
      reserved_rao: String(state === 'rented' ? whole : 0n),
      held_rao: n % 31 === 0 ? '72100000' : '0',
      exiting_rao: n % 17 === 0 ? '50000000' : '0',
      exit_ready_at_secs: n % 17 === 0 ? now + DAY : null,
      stated_rao: '0',
    },
    rental: state === 'rented' ? n + 1 : null,
    verified_until_secs: state === 'unverified' ? null : now + 3_600 * (2 + (n % 20)),
    uptime_ppm: uptime(days),
    strip: days,
    rentals: Math.floor(next() * 60),
    cases: { open: n % 31 === 0 ? 1 : 0, executed: n % 13 === 0 ? 2 : 0, dismissed: n % 29 === 0 ? 1 : 0 },
  }
}

const KINDS = ['not_delivered', 'interrupted', 'offline', 'spoofed']
const CAUSES = ['renter_refused', 'unreachable', 'gpus_missing', 'none']
const STATES = ['filed', 'appealed', 'refunded', 'refunded_appealed', 'executed', 'dismissed']

export function oneCase(id, of, now) {
  const state = STATES[id % STATES.length]
  const open = id % STATES.length < 4
  const kind = KINDS[id % KINDS.length]
  return {
    id,
    kind,
    cause: CAUSES[id % CAUSES.length],
    state,
    slow: state.startsWith('refunded'),
    rental: kind === 'spoofed' ? null : id + 100,
    machine: of.machine,
    registration: of.registration,
    miner: of.miner,
    renter: kind === 'spoofed' ? null : renter(id % 5),
    filed_at_secs: now - 3_600 * (id + 2),
    executable_at_secs: open ? now + 20 * 3_600 : null,
    appealable_until_secs: state === 'filed' || state === 'refunded' ? now + 20 * 3_600 : null,
    appeal_bond_rao: state === 'filed' || state === 'refunded' ? '10000000' : null,
    appeal: state.includes('appealed') ? { bond_rao: '10000000', rule_by_secs: now + 2 * DAY } : null,
    withheld_secs: kind === 'spoofed' ? 0 : 1_200,
    withheld_rao: kind === 'spoofed' ? '0' : '2400000',
    penalty_rao: kind === 'interrupted' ? '0' : '72100000',
  }
}

export function rental(id, of, now, state, by = renter(id % 5)) {
  const offer = of.offer ?? { gpu_class: 3, gpu_count: 8, price_rao_per_sec: '2000' }
  const price = BigInt(offer.price_rao_per_sec)
  const running = state === 'running'
  const start = now - (running ? 7_200 : DAY * (1 + (id % 20)))
  const faulted = id % 3 === 0 ? 1_200 : 0
  return {
    id,
    state,
    machine: of.machine,
    registration: of.registration,
    miner: of.miner,
    renter: by,
    renter_key: hex(32, 6, id),
    gpu_class: offer.gpu_class,
    class_name: of.class_name ?? 'H100 SXM',
    gpu_count: offer.gpu_count,
    price_rao_per_sec: String(price),
    start_secs: start,
    end_secs: running ? now + 6 * 3_600 : start + 36_000,
    paid_until_secs: start + 3_600,
    min_duration_secs: 600,
    bought_secs: running ? 28_800 : 36_000,
    claimed_secs: 3_600,
    faulted_secs: faulted,
    open_secs: 0,
    refunded_secs: 0,
    paid_rao: String(price * 36_000n),
    refunded_rao: '0',
    compensated_rao: String(price * BigInt(faulted)),
    faults: faulted ? [{ from_secs: start + 4_000, until_secs: start + 5_200, case: 3 }] : [],
  }
}

export function network(machines, at, base, own) {
  const totals = CLASSES.map(([id, name, bond]) => {
    const of = machines.filter((m) => m.offer?.gpu_class === id)
    const gpus = (list) => list.reduce((sum, m) => sum + m.offer.gpu_count, 0)
    const free = of.filter((m) => m.availability === 'free')
    const each = free.map((m) => BigInt(m.offer.price_rao_per_sec) / BigInt(m.offer.gpu_count))
    const from = each.length === 0 ? null : String(each.sort((a, b) => (a < b ? -1 : 1))[0])
    const rented = gpus(of.filter((m) => m.availability === 'rented'))
    const sums = { machines: of.length, gpus: gpus(of), gpus_rented: rented }
    return { gpu_class: id, name, bond_rao: String(bond), ...sums, from_rao_per_sec: from }
  })
  const keepers = [0, 1, 2, 3].map((n) => ({
    account: own?.[n] ?? hex(20, 8, n),
    weight: ['500000', '320000', '210000', '90000'][n],
    active: n < 3,
    url: n === 3 ? 'javascript:alert(1)' : base,
  }))
  const contract = (n) => hex(20, 9, n)
  return {
    at,
    chain_id: CHAIN_ID,
    netuid: 27,
    keeper: keepers[0].account,
    contracts: {
      vault: contract(1),
      escrow: contract(2),
      arbiter: contract(3),
      bids: contract(4),
      keepers: contract(5),
    },
    terms: {
      settle_lag_secs: 3_600,
      certificate_life_secs: DAY,
      delivery_grace_secs: 600,
      min_interrupted_secs: 60,
      min_offline_secs: 900,
    },
    totals: {
      machines: machines.length,
      offered: machines.filter((m) => m.offer).length,
      rented: machines.filter((m) => m.availability === 'rented').length,
      miners: 97,
      active_renters: 412,
      rentals: 18_204,
      served_secs: 912_000_000,
      served_gpu_secs: 4_212_000_000,
      revenue_rao: '8123456789012',
      refunded_rao: '93456789012',
      bonded_rao: '12345678901234',
      cases: 214,
      penalties_open_rao: '3210000000',
      penalties_executed_rao: '21345678901',
    },
    classes: totals,
    keepers,
  }
}

export function networkDays(now) {
  const today = Math.floor(now / DAY)
  return Array.from({ length: 120 }, (_, index) => {
    const next = random(index + 99)
    const grow = 0.4 + index / 200
    const rented = Math.floor(grow * 40_000_000 * (0.9 + next() * 0.2))
    return {
      day: today - 119 + index,
      rentals: Math.floor(150 * grow * (0.8 + next() * 0.4)),
      renters: Math.floor(200 * grow),
      rented_secs: rented,
      served_secs: rented - Math.floor(next() * 90_000),
      rented_gpu_secs: rented * 4,
      revenue_rao: String(BigInt(rented) * 5_000n),
      penalties_rao: next() < 0.3 ? String(Math.floor(next() * 900_000_000)) : '0',
      cases: Math.floor(next() * 4),
    }
  })
}

export { hex, random }
