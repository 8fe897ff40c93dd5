// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { Rao } from "../types/Units.sol";

/// @title The books every custody contract keeps
/// @notice Money is counted in rao the contract owes, never read off its balance. Nobody is ever pushed money by
/// running their code: debts become credit, and credit is paid through the chain's transfer precompile (0x800) to an
/// account id.
/// @dev Assumption (liveness): the chain's root leaves precompiles 0x800 and 0x80c enabled and safe mode off; while
/// they fail, credit waits and nobody else is blocked.
interface IRaoLedger {
    /// @notice Value came that is not a whole, non-zero number of rao. The chain moves whole rao only and would
    /// silently keep the rest.
    error RaoLedger_NotWholeRao(uint256 valueWei);

    /// @notice The constructor wants exactly the seed, so that the account exists and never falls below the
    /// existential deposit.
    error RaoLedger_WrongSeed(uint256 valueWei, uint256 wantWei);

    /// @notice This chain has no code at a precompile that payouts need: it is not Subtensor, and money sent would
    /// be lost.
    error RaoLedger_NotSubtensor(address precompile);

    /// @notice Credit is below the smallest payout the chain carries out; it waits until it is worth it.
    error RaoLedger_CreditTooSmall(address account, Rao credit, Rao smallest);

    /// @notice Less is waiting to be burned, or swept, than the chain carries out.
    error RaoLedger_NothingToBurn(Rao waiting, Rao smallest);

    /// @notice 0x800 refused; the credit stays.
    error RaoLedger_PaymentFailed(bytes32 accountId, Rao amount);

    /// @notice `account` is now owed `amount` more, `credit` in all.
    event Credited(address indexed account, Rao amount, Rao credit);

    /// @notice `account`'s credit is paid to `accountId` from now on; zero: to its own mapped account.
    event PayoutAccountSet(address indexed account, bytes32 indexed accountId);

    /// @notice `amount` of `account`'s credit was paid to `accountId`.
    event CreditWithdrawn(address indexed account, bytes32 indexed accountId, Rao amount);

    /// @notice `amount` was paid to the burn account.
    event Burned(Rao amount);

    /// @notice `amount` that the books do not owe to anybody was set aside for burning.
    event Swept(Rao amount);

    /// @notice What `account` can withdraw.
    function creditOf(address account) external view returns (Rao);

    /// @notice Everything this contract owes: bonds or rents still bound, credit, and what waits to be burned.
    /// The seed is not in it.
    function liabilities() external view returns (Rao);

    /// @notice What waits for `flushBurn`.
    function toBurn() external view returns (Rao);

    /// @notice Where `account`'s credit is paid to; zero: to its own mapped account.
    function payoutAccountOf(address account) external view returns (bytes32);

    /// @notice From now on the caller's credit in this contract is paid to `accountId`, such as the caller's coldkey;
    /// zero: to the caller's own mapped account.
    /// @dev Warning: an account id cannot be checked. What is paid to a wrong one is lost.
    function setPayoutAccount(bytes32 accountId) external;

    /// @notice Pays all of `account`'s credit to the account id it chose, else to its own mapped account. Anybody may
    /// call; the money can go nowhere else.
    /// @dev Warning: forwards all gas to 0x800, which keeps it when it fails.
    function withdrawCredit(address account) external;

    /// @notice Pays what waits to be burned to the chain's burn account. Anybody may call.
    function flushBurn() external;

    /// @notice Sets aside for burning what arrived without being owed to anybody (forced or native transfers).
    /// Liabilities and the seed are never touched.
    function sweep() external;
}
