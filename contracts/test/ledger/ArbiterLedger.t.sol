// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { IArbiter } from "../../src/interfaces/IArbiter.sol";
import { IRaoLedger } from "../../src/interfaces/IRaoLedger.sol";
import { Base } from "../Base.t.sol";
import { LedgerBase } from "./LedgerBase.t.sol";
import { FlushBurnTest } from "./flushBurn.t.sol";
import { SetPayoutAccountTest } from "./setPayoutAccount.t.sol";
import { SweepTest } from "./sweep.t.sol";
import { LedgerViewsTest } from "./views.t.sol";
import { WithdrawCreditTest } from "./withdrawCredit.t.sol";

/// @dev The arbiter's credit comes from appeal bonds, which are never below .01 TAO. For any amount the suite writes
/// its books: slot 0 is (liabilities, toBurn, count), slot 1 the credit of accounts.
abstract contract ArbiterMoney is LedgerBase {
    function _ledger() internal view override returns (IRaoLedger) {
        return arbiter;
    }

    function _credit(address account, uint64 rao) internal override {
        bytes32 slot = keccak256(abi.encode(account, uint256(1)));
        uint256 credit = uint256(vm.load(address(arbiter), slot)) + rao;
        vm.store(address(arbiter), slot, bytes32(credit));
        uint256 books = uint256(vm.load(address(arbiter), 0)) + rao;
        vm.store(address(arbiter), 0, bytes32(books));
        vm.deal(address(arbiter), address(arbiter).balance + uint256(rao) * WEI);
        assertEq(_rao(arbiter.creditOf(account)), credit, "the storage layout has moved");
    }

    function _burnable(uint64 rao) internal override {
        vm.deal(address(arbiter), address(arbiter).balance + uint256(rao) * WEI);
        arbiter.sweep();
    }
}

contract ArbiterWithdrawCreditTest is ArbiterMoney, WithdrawCreditTest { }

contract ArbiterSetPayoutAccountTest is ArbiterMoney, SetPayoutAccountTest { }

contract ArbiterFlushBurnTest is ArbiterMoney, FlushBurnTest { }

contract ArbiterSweepTest is ArbiterMoney, SweepTest { }

contract ArbiterLedgerViewsTest is ArbiterMoney, LedgerViewsTest { }

/// @dev The two ways an appeal bond goes, without touching the books.
contract AppealBondMoneyTest is Base {
    bytes32 private constant COLDKEY = keccak256("coldkey");
    uint64 private constant BOND = 10_000_000;

    function setUp() public override {
        super.setUp();
        uint64 rental = _rented();
        skip(1 hours);
        IArbiter.Kind kind = IArbiter.Kind.Interrupted;
        arbiter.file(kind, rental, 0, _attest(kind, rental, _now() - 10 minutes, _now(), 3));
        vm.prank(MINER);
        arbiter.appeal{ value: uint256(BOND) * WEI }(1, keccak256("I was there"));
    }

    function _rule(bool uphold) private {
        vm.prank(JUDGE);
        arbiter.rule(1, uphold);
    }

    function test_AReturnedAppealBondIsPaidToThePayoutAccount() external {
        assertEq(_rao(arbiter.liabilities()), BOND);
        _rule(false);
        assertEq(_rao(arbiter.creditOf(MINER)), BOND);
        vm.prank(MINER);
        arbiter.setPayoutAccount(COLDKEY);
        arbiter.withdrawCredit(MINER);
        assertEq(TRANSFERS.balanceOf(COLDKEY), BOND);
        assertEq(_rao(arbiter.liabilities()), 0);
        assertEq(address(arbiter).balance, SEED_WEI);
    }

    function test_AnUpheldCasesAppealBondIsBurned() external {
        _rule(true);
        assertEq(_rao(arbiter.toBurn()), BOND);
        assertEq(_rao(arbiter.creditOf(MINER)), 0);
        arbiter.flushBurn();
        assertEq(TRANSFERS.balanceOf(BURN), BOND);
        assertEq(address(arbiter).balance, SEED_WEI);
    }
}
