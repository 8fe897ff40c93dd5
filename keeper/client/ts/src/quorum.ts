/** When keepers' signatures are a quorum: the rule of QuorumLib, SPEC section 6. */

export interface Weighted {
  account: string
  weight: bigint
}

/** Whether `signers`, each an active keeper and named once, are a quorum of `active`. */
export function isQuorum(signers: readonly Weighted[], active: readonly Weighted[]): boolean {
  if (signers.length < 2) return false
  const total = active.reduce((sum, keeper) => sum + keeper.weight, 0n)
  const signed = signers.reduce((sum, keeper) => sum + keeper.weight, 0n)
  const [heaviest = 0n] = signers.map((keeper) => keeper.weight).sort((a, b) => (a < b ? 1 : -1))
  return 3n * signed >= 2n * total && 2n * (signed - heaviest) >= total - heaviest
}

/** The fewest heaviest of `signers` that are a quorum, since each one costs gas; null: all of them are none. */
export function smallestQuorum<T extends Weighted>(signers: readonly T[], active: readonly Weighted[]): T[] | null {
  const heaviestFirst = [...signers].sort((a, b) => (a.weight < b.weight ? 1 : a.weight > b.weight ? -1 : 0))
  for (let count = 2; count <= heaviestFirst.length; count += 1) {
    const chosen = heaviestFirst.slice(0, count)
    if (isQuorum(chosen, active)) return chosen
  }
  return null
}
