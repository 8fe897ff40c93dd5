// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { IRaoLedger } from "../../src/interfaces/IRaoLedger.sol";
import { LedgerBase } from "./LedgerBase.t.sol";

/// @dev Of every ledger: see VaultLedger, EscrowLedger, ArbiterLedger, BidsLedger.
abstract contract SetPayoutAccountTest is LedgerBase {
    function _chosen(address account) private view returns (bytes32) {
        return _ledger().payoutAccountOf(account);
    }

    function test_WhenAnAccountIdIsGiven() external {
        _credit(MINER, AMOUNT);
        uint64 owed = _owed();
        vm.expectEmit(address(_ledger()));
        emit IRaoLedger.PayoutAccountSet(MINER, COLDKEY);
        _choose(MINER, COLDKEY);
        assertEq(_chosen(MINER), COLDKEY);
        assertEq(_creditOf(MINER), AMOUNT);
        assertEq(_owed(), owed);
        _ledger().withdrawCredit(MINER);
        _credit(MINER, AMOUNT);
        _ledger().withdrawCredit(MINER);
        assertEq(TRANSFERS.balanceOf(COLDKEY), 2 * AMOUNT);
    }

    function test_WhenAnotherIsGiven() external {
        _credit(MINER, AMOUNT);
        _choose(MINER, COLDKEY);
        _choose(MINER, keccak256("another coldkey"));
        assertEq(_chosen(MINER), keccak256("another coldkey"));
        _ledger().withdrawCredit(MINER);
        assertEq(TRANSFERS.balanceOf(COLDKEY), 0);
        assertEq(TRANSFERS.balanceOf(keccak256("another coldkey")), AMOUNT);
    }

    function test_WhenZeroIsGiven() external {
        _choose(MINER, COLDKEY);
        vm.expectEmit(address(_ledger()));
        emit IRaoLedger.PayoutAccountSet(MINER, 0);
        _choose(MINER, 0);
        assertEq(_chosen(MINER), 0);
    }

    function test_WhenSomebodyElseSetsTheirs() external {
        _choose(MINER, COLDKEY);
        address[5] memory others = [STRANGER, OWNER, GUARDIAN, JUDGE, RENTER];
        for (uint256 i = 0; i < others.length; ++i) {
            _choose(others[i], keccak256(abi.encode(i)));
            assertEq(_chosen(MINER), COLDKEY);
        }
    }

    function test_WhenItIsSetInOneLedger() external {
        _choose(MINER, COLDKEY);
        IRaoLedger[4] memory ledgers = [IRaoLedger(vault), escrow, arbiter, bids];
        uint256 set;
        for (uint256 i = 0; i < ledgers.length; ++i) {
            if (ledgers[i].payoutAccountOf(MINER) == COLDKEY) ++set;
        }
        assertEq(set, 1);
    }

    function test_RevertWhen_ValueComesAlong() external {
        bytes memory data = abi.encodeCall(IRaoLedger.setPayoutAccount, (COLDKEY));
        vm.prank(STRANGER);
        (bool ok,) = address(_ledger()).call{ value: WEI }(data);
        assertFalse(ok);
    }

    function testFuzz_IsTheLastOneGivenByTheAccountItself(address[4] memory who, bytes32[4] memory what) external {
        for (uint256 i = 0; i < who.length; ++i) {
            _choose(who[i], what[i]);
        }
        for (uint256 i = 0; i < who.length; ++i) {
            bytes32 last;
            for (uint256 j = 0; j < who.length; ++j) {
                if (who[j] == who[i]) last = what[j];
            }
            assertEq(_chosen(who[i]), last);
        }
    }
}
