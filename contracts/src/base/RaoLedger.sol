// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { IRaoLedger } from "../interfaces/IRaoLedger.sol";
import { Subtensor } from "../libraries/Subtensor.sol";
import { Rao, Timestamp, WEI_PER_RAO, ZERO_RAO, toRao } from "../types/Units.sol";

/// @title The books every custody contract keeps (see IRaoLedger)
/// @dev `liabilities` moves in three places only: money in, money out, surplus found. Everything else reclassifies.
/// (`RentalBids` passes money on to its sibling, which is money out there and money in here.)
abstract contract RaoLedger is IRaoLedger {
    Rao internal constant SMALLEST_PAYOUT = Rao.wrap(Subtensor.EXISTENTIAL_DEPOSIT_RAO);
    uint256 internal constant SEED_WEI = Subtensor.EXISTENTIAL_DEPOSIT_RAO * WEI_PER_RAO;

    /// @dev One slot: the totals; the inheriting contract's own dense counter, which is mostly written with them; and
    /// what a Gate needs, where the inheriting contract is one.
    struct Books {
        Rao liabilities;
        Rao toBurn;
        uint64 count;
        Timestamp pausedUntil;
        bool sunset;
    }

    /* STORAGE */

    Books internal _books;
    mapping(address account => Rao) private _credit;
    mapping(address account => bytes32 accountId) private _payoutAccount;

    /* CONSTRUCTOR */

    constructor() payable {
        require(msg.value == SEED_WEI, RaoLedger_WrongSeed(msg.value, SEED_WEI));
        // A call with value to an address without code succeeds: on a chain without 0x800 every payout would be lost.
        require(Subtensor.BALANCE_TRANSFER.code.length > 0, RaoLedger_NotSubtensor(Subtensor.BALANCE_TRANSFER));
    }

    /* VIEWS */

    /// @inheritdoc IRaoLedger
    function creditOf(address account) external view returns (Rao) {
        return _credit[account];
    }

    /// @inheritdoc IRaoLedger
    function liabilities() external view returns (Rao) {
        return _books.liabilities;
    }

    /// @inheritdoc IRaoLedger
    function toBurn() external view returns (Rao) {
        return _books.toBurn;
    }

    /// @inheritdoc IRaoLedger
    function payoutAccountOf(address account) external view returns (bytes32) {
        return _payoutAccount[account];
    }

    /* WHERE TO */

    /// @inheritdoc IRaoLedger
    function setPayoutAccount(bytes32 accountId) external {
        _payoutAccount[msg.sender] = accountId;
        emit PayoutAccountSet(msg.sender, accountId);
    }

    /* MONEY OUT */

    /// @inheritdoc IRaoLedger
    function withdrawCredit(address account) external {
        Rao amount = _credit[account];
        require(SMALLEST_PAYOUT <= amount, RaoLedger_CreditTooSmall(account, amount, SMALLEST_PAYOUT));
        // Effect: before the payment, although no code of the receiver runs.
        _credit[account] = ZERO_RAO;
        // Interaction: a constant precompile.
        bytes32 accountId = _payoutAccount[account];
        if (accountId == 0) accountId = Subtensor.accountIdOf(account);
        _pay(accountId, amount);
        emit CreditWithdrawn(account, accountId, amount);
    }

    /// @inheritdoc IRaoLedger
    function flushBurn() external {
        Rao amount = _books.toBurn;
        require(SMALLEST_PAYOUT <= amount, RaoLedger_NothingToBurn(amount, SMALLEST_PAYOUT));
        _books.toBurn = ZERO_RAO;
        _pay(Subtensor.BURN_ACCOUNT_ID, amount);
        emit Burned(amount);
    }

    /// @inheritdoc IRaoLedger
    function sweep() external {
        // On Subtensor the balance an EVM contract sees leaves out the existential deposit already; subtracting the
        // seed once more leaves 500 rao behind there, and is right everywhere else.
        uint256 owedWei = uint256(Rao.unwrap(_books.liabilities)) * WEI_PER_RAO + SEED_WEI;
        uint256 heldWei = address(this).balance;
        Rao surplus = heldWei > owedWei ? toRao((heldWei - owedWei) / WEI_PER_RAO) : ZERO_RAO;
        require(SMALLEST_PAYOUT <= surplus, RaoLedger_NothingToBurn(surplus, SMALLEST_PAYOUT));
        _books.liabilities = _books.liabilities + surplus;
        _burn(surplus);
        emit Swept(surplus);
    }

    /* INTERNALS */

    /// @dev Takes the call's value into the books, in rao.
    // slither-disable-next-line msg-value-in-nonpayable payable functions of what inherits this call it
    function _takeIn() internal returns (Rao amount) {
        require(msg.value != 0 && msg.value % WEI_PER_RAO == 0, RaoLedger_NotWholeRao(msg.value));
        amount = toRao(msg.value / WEI_PER_RAO);
        _books.liabilities = _books.liabilities + amount;
    }

    /// @dev Takes `amount` out of the books, to be sent to a sibling in the same call. In wei.
    function _takeOut(Rao amount) internal returns (uint256 valueWei) {
        _books.liabilities = _books.liabilities - amount;
        return uint256(Rao.unwrap(amount)) * WEI_PER_RAO;
    }

    /// @dev Money already in the books becomes `account`'s to withdraw.
    function _owe(address account, Rao amount) internal {
        if (amount == ZERO_RAO) return;
        Rao credit = _credit[account] + amount;
        _credit[account] = credit;
        emit Credited(account, amount, credit);
    }

    /// @dev Money already in the books is to be burned.
    function _burn(Rao amount) internal {
        _books.toBurn = _books.toBurn + amount;
    }

    function _pay(bytes32 accountId, Rao amount) private {
        bool ok = accountId != 0 && Subtensor.pay(accountId, _takeOut(amount));
        require(ok, RaoLedger_PaymentFailed(accountId, amount));
    }
}
