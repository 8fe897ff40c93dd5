// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { IRaoLedger } from "../../src/interfaces/IRaoLedger.sol";
import { Rao } from "../../src/types/Units.sol";
import { LedgerBase } from "./LedgerBase.t.sol";

/// @dev Of every ledger: see VaultLedger, EscrowLedger, ArbiterLedger, BidsLedger.
abstract contract SweepTest is LedgerBase {
    function _toBurn() private view returns (uint64) {
        return _rao(_ledger().toBurn());
    }

    function test_RevertGiven_NothingArrivedUnasked() external {
        _credit(MINER, AMOUNT);
        _burnable(900);
        _expectNothingToBurn(0);
        _ledger().sweep();
    }

    function test_RevertGiven_ASurplusAWeiBelowTheSmallestPayout() external {
        _credit(MINER, AMOUNT);
        _force(SMALLEST * WEI - 1);
        _expectNothingToBurn(SMALLEST - 1);
        _ledger().sweep();
    }

    function test_GivenASurplusOfTheSmallestPayout() external {
        _force(SMALLEST * WEI);
        _ledger().sweep();
        assertEq(_toBurn(), SMALLEST);
    }

    function test_GivenASurplusAndMoneyThatIsOwed() external {
        _credit(MINER, AMOUNT);
        uint64 owed = _owed();
        _force(700 * WEI);
        vm.expectEmit(address(_ledger()));
        emit IRaoLedger.Swept(Rao.wrap(700));
        vm.prank(STRANGER);
        _ledger().sweep();
        assertEq(_toBurn(), 700);
        assertEq(_owed(), owed + 700);
        _assertSolvent();
        _expectNothingToBurn(0);
        _ledger().sweep();
        _ledger().flushBurn();
        assertEq(TRANSFERS.balanceOf(BURN), 700);
        _ledger().withdrawCredit(MINER);
        _assertSolvent();
    }

    function test_GivenASurplusWithWeiDust() external {
        _force(700 * WEI + WEI - 1);
        _ledger().sweep();
        assertEq(_toBurn(), 700);
        assertEq(_held(), uint256(_owed()) * WEI + SEED_WEI + WEI - 1);
    }

    function test_RevertGiven_TheContractHoldsLessThanItOwes() external {
        _credit(MINER, AMOUNT);
        vm.deal(address(_ledger()), _held() - WEI);
        _expectNothingToBurn(0);
        _ledger().sweep();
        vm.deal(address(_ledger()), 0);
        _expectNothingToBurn(0);
        _ledger().sweep();
    }

    function testFuzz_TakesWholeRaoOfTheSurplusOrSaysWhyNot(uint64 forcedWei, uint64 rao) external {
        uint256 forced = bound(forcedWei, 0, 1_500 * WEI);
        rao = uint64(bound(rao, 1, 1e12));
        _credit(MINER, rao);
        uint64 owed = _owed();
        _force(forced);
        // forge-lint: disable-next-line(unsafe-typecast) at most 1,500
        uint64 surplus = uint64(forced / WEI);
        bool sweeps = surplus >= SMALLEST;
        if (!sweeps) _expectNothingToBurn(surplus);
        _ledger().sweep();
        assertEq(_toBurn(), sweeps ? surplus : 0);
        assertEq(_owed(), sweeps ? owed + surplus : owed);
        assertEq(_creditOf(MINER), rao);
    }
}
