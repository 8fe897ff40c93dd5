import { rentalEscrowAbi } from '@surety/client/chain'
import { decodeFunctionData, type Hex } from 'viem'
import { describe, expect, it } from 'vitest'
import { type Connection, send } from '../src/wallet/calls.ts'

const account: Hex = '0x1111111111111111111111111111111111111111'
const escrow: Hex = '0x2222222222222222222222222222222222222222'
const other: Hex = '0x4444444444444444444444444444444444444444'
const hash: Hex = `0x${'33'.repeat(32)}`

interface Sent {
  to: Hex
  data: Hex
  value?: Hex
  gas?: Hex
}

/** A wallet that takes what it is handed; `estimate`: what its endpoint says that a call takes. */
function walletThat(estimate: bigint): { connection: Connection; sent: Sent[] } {
  const sent: Sent[] = []
  const answers: Record<string, (params: unknown[]) => unknown> = {
    eth_chainId: () => '0x3b1',
    eth_estimateGas: () => `0x${estimate.toString(16)}`,
    eth_sendTransaction: ([transaction]) => {
      sent.push(transaction as Sent)
      return hash
    },
  }
  const request = async ({ method, params }: { method: string; params?: unknown }) => {
    const answer = answers[method]
    if (!answer) throw new Error(`the wallet was asked ${method}`)
    return answer((params ?? []) as unknown[])
  }
  const contracts = { vault: other, escrow, arbiter: other, bids: other, keepers: other }
  return { connection: { provider: { request }, account, chainId: 945, contracts }, sent }
}

describe('what the wallet is handed', () => {
  it('a transaction brings a quarter more gas than the estimate, which a later block may not suffice for', async () => {
    const { connection, sent } = walletThat(40_062n)
    expect(await send(connection, { contract: 'escrow', name: 'end', args: [7n] })).toBe(hash)
    expect(sent).toHaveLength(1)
    expect(BigInt(sent[0]?.gas ?? 0)).toBe(50_077n)
    expect(sent[0]?.to).toBe(escrow)
    const call = decodeFunctionData({ abi: rentalEscrowAbi, data: sent[0]?.data ?? '0x' })
    expect(call).toEqual({ functionName: 'end', args: [7n] })
  })

  it('what is paid goes along in wei', async () => {
    const { connection, sent } = walletThat(200_000n)
    await send(connection, { contract: 'escrow', name: 'extend', args: [7n, 60], valueRao: 5n })
    expect(BigInt(sent[0]?.value ?? 0)).toBe(5_000_000_000n)
  })
})
