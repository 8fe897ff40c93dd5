/** The dearest call takes some 500,000; the same bound as the command line's and the keepers'. */
const GAS_LIMIT_MAX = 15_000_000n

/**
 * The gas to send a call with, of what a node says it takes: a quarter more. What a call takes depends on the block
 * that has it (`end` takes 4 gas more once a rental's least time is over), so that the estimate alone runs out now and
 * then. What is not used is not paid.
 */
export function gasLimit(estimate: bigint): bigint {
  const limit = estimate + estimate / 4n
  return limit < GAS_LIMIT_MAX ? limit : GAS_LIMIT_MAX
}
