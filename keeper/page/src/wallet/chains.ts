/** Chains that Surety may be on, as wallets want them described (EIP-3085). */

export interface ChainInfo {
  id: number
  name: string
  rpcUrl: string
  explorerUrl: string | null
}

/** Public endpoints, checked against nothing here: a wallet shows them, and asks, before it adds them. */
const CHAINS: readonly ChainInfo[] = [
  { id: 964, name: 'Bittensor', rpcUrl: 'https://lite.chain.opentensor.ai', explorerUrl: 'https://evm.taostats.io' },
  { id: 945, name: 'Bittensor testnet', rpcUrl: 'https://test.chain.opentensor.ai', explorerUrl: null },
  { id: 42, name: 'Bittensor localnet', rpcUrl: 'http://127.0.0.1:9944', explorerUrl: null },
  { id: 31_337, name: 'Local chain', rpcUrl: 'http://127.0.0.1:8545', explorerUrl: null },
]

export const chainInfo = (id: number): ChainInfo | null => CHAINS.find((chain) => chain.id === id) ?? null

export const chainName = (id: number): string => chainInfo(id)?.name ?? `chain ${id}`

export const hexId = (id: number): string => `0x${id.toString(16)}`

/** The parameter of `wallet_addEthereumChain`. TAO has 18 decimals on the EVM side. */
export const addChainParameter = (chain: ChainInfo) => ({
  chainId: hexId(chain.id),
  chainName: chain.name,
  nativeCurrency: { name: 'TAO', symbol: 'TAO', decimals: 18 },
  rpcUrls: [chain.rpcUrl],
  ...(chain.explorerUrl ? { blockExplorerUrls: [chain.explorerUrl] } : {}),
})
