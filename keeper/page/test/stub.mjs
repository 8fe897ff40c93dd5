// A wallet that exists only in a test, and keepers whose signatures are real.
import { encodeErrorResult, parseAbi, toEventSelector } from 'viem'
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts'
import { CHAIN_ID, hex, miner } from '../dev/fixtures.mjs'

/** A renter, and the miner of the first machine. */
export const ACCOUNT = miner(0)

const TYPES = {
  Certificate: [
    { name: 'machine', type: 'bytes32' },
    { name: 'registration', type: 'uint32' },
    { name: 'gpuClass', type: 'uint16' },
    { name: 'gpuCount', type: 'uint16' },
    { name: 'measuredAt', type: 'uint32' },
    { name: 'evidence', type: 'bytes32' },
  ],
}

/** What of the fixtures is made here: three keepers, and their certificates of every machine. */
export async function keepersThatSign() {
  const accounts = [0, 1, 2].map(() => privateKeyToAccount(generatePrivateKey()))
  const signed = new Map()
  const domain = { name: 'Surety', version: '1', chainId: CHAIN_ID, verifyingContract: hex(20, 9, 2) }
  const sign = (account, message) =>
    account.signTypedData({ domain, types: TYPES, primaryType: 'Certificate', message })
  const certificate = async (account, machine) => {
    const now = Math.floor(Date.now() / 1_000) - 600
    const { gpu_class, gpu_count } = machine.offer
    const statement = { machine: machine.machine, registration: machine.registration, gpu_class, gpu_count }
    const rest = { measured_at_secs: now, evidence: hex(32, 11, 1) }
    const { registration } = machine
    const message = { machine: machine.machine, registration, gpuClass: gpu_class, gpuCount: gpu_count }
    const signature = await sign(account, { ...message, measuredAt: now, evidence: rest.evidence })
    return { statement: { ...statement, ...rest }, signer: account.address.toLowerCase(), signature }
  }
  // One machine is rented in the test, and signing for 5,000 takes a while.
  const prepare = async (machine) =>
    signed.set(machine.machine, await Promise.all(accounts.map((account) => certificate(account, machine))))
  const { machine } = await import('../dev/fixtures.mjs')
  await prepare(machine(0, Math.floor(Date.now() / 1_000)))
  const abi = parseAbi(['error RentalEscrow_NotReady(bytes32 machine, uint32 readyAt)'])
  const args = [hex(32, 3, 0), 1_900_000_000]
  return {
    keepers: accounts.map((account) => account.address.toLowerCase()),
    certificates: (of) => signed.get(of?.machine),
    notReady: encodeErrorResult({ abi, errorName: 'RentalEscrow_NotReady', args }),
  }
}

const HASH = `0x${'77'.repeat(32)}`
const word = (value) => `0x${value.toString(16).padStart(64, '0')}`
const placed = { blockHash: HASH, blockNumber: '0x10', transactionHash: HASH, transactionIndex: '0x0' }

/** What a node says of a transaction: refused by the contract, or done with these logs. */
const receipt = (status, logs) => ({
  ...placed,
  contractAddress: null,
  cumulativeGasUsed: '0x1',
  effectiveGasPrice: '0x1',
  from: ACCOUNT,
  gasUsed: '0x1',
  logs,
  logsBloom: `0x${'00'.repeat(256)}`,
  status,
  to: ACCOUNT,
  type: '0x2',
})

const RENTED = toEventSelector('Rented(uint64,bytes32,address,bytes32,uint32,uint64,uint64)')
const topics = [RENTED, word(7), word(1), word(2)]
const rented = { ...placed, address: ACCOUNT, data: `0x${'00'.repeat(128)}`, logIndex: '0x0', removed: false, topics }

export const REFUSED = receipt('0x0', [])
/** Rental 7 was made. */
export const DONE = receipt('0x1', [rented])

/** Runs in the page before its scripts. It is on Bittensor, knows no local chain, and declines to send. */
export function stubWallet({ account }) {
  const state = { chain: '0x3c4', added: false, revert: null, accepts: false, receipt: null, asked: [] }
  const fail = (code, message, data) => Object.assign(new Error(message), { code, data })
  const listeners = new Map()
  const answers = {
    eth_requestAccounts: () => [account],
    eth_accounts: () => [account],
    eth_chainId: () => state.chain,
    eth_blockNumber: () => '0x10',
    wallet_addEthereumChain: () => {
      state.added = true
      return null
    },
    wallet_switchEthereumChain: ([{ chainId }]) => {
      if (!state.added) throw fail(4902, 'Unrecognized chain ID')
      state.chain = chainId
      listeners.get('chainChanged')?.(chainId)
      return null
    },
    eth_call: () => {
      if (state.revert) throw fail(3, 'execution reverted', state.revert)
      return `0x${'00'.repeat(31)}07${'00'.repeat(31)}07`
    },
    eth_sendTransaction: () => {
      if (!state.accepts) throw fail(4001, 'User rejected the request.')
      return state.receipt.transactionHash
    },
    eth_getTransactionReceipt: () => state.receipt,
    eth_getTransactionByHash: () => null,
  }
  const provider = {
    request: async ({ method, params }) => {
      state.asked.push(method)
      if (!answers[method]) throw fail(4200, `${method} is not supported`)
      return answers[method](params)
    },
    on: (event, listener) => listeners.set(event, listener),
    removeListener: (event) => listeners.delete(event),
  }
  globalThis.stub = {
    asked: state.asked,
    revertWith: (data) => {
      state.revert = data
    },
    /** From now on transactions are sent, and this is their receipt. */
    accept: (receipt) => {
      state.accepts = true
      state.receipt = receipt
    },
    /** The block that had it is gone. */
    drop: () => {
      state.receipt = null
    },
  }
  const detail = Object.freeze({ info: { uuid: 'stub', rdns: 'test.stub', name: 'Stub wallet', icon: '' }, provider })
  const announce = () => dispatchEvent(new CustomEvent('eip6963:announceProvider', { detail }))
  addEventListener('eip6963:requestProvider', announce)
  announce()
}
