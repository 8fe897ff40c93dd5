// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { IRaoLedger } from "../../src/interfaces/IRaoLedger.sol";
import { RaoPerSecond, Timestamp } from "../../src/types/Units.sol";
import { LedgerBase } from "./LedgerBase.t.sol";
import { FlushBurnTest } from "./flushBurn.t.sol";
import { SetPayoutAccountTest } from "./setPayoutAccount.t.sol";
import { SweepTest } from "./sweep.t.sol";
import { LedgerViewsTest } from "./views.t.sol";
import { WithdrawCreditTest } from "./withdrawCredit.t.sol";

/// @dev Among the bids, credit comes from wishes that are given up.
abstract contract BidsMoney is LedgerBase {
    function _ledger() internal view override returns (IRaoLedger) {
        return bids;
    }

    function _credit(address account, uint64 rao) internal override {
        vm.deal(account, account.balance + uint256(rao) * WEI);
        // forge-lint: disable-next-line(unsafe-typecast) at most 1e12
        RaoPerSecond price = RaoPerSecond.wrap(uint40(rao));
        vm.startPrank(account);
        uint64 bid = bids.post{ value: uint256(rao) * WEI }(H100, 1, 1, price, RENTER_KEY, Timestamp.wrap(_now() + 1));
        bids.giveUp(bid);
        vm.stopPrank();
    }

    /// @dev Nothing among the bids is burned but what arrived without being owed.
    function _burnable(uint64 rao) internal override {
        vm.deal(address(bids), address(bids).balance + uint256(rao) * WEI);
        bids.sweep();
    }
}

contract BidsWithdrawCreditTest is BidsMoney, WithdrawCreditTest { }

contract BidsSetPayoutAccountTest is BidsMoney, SetPayoutAccountTest { }

contract BidsFlushBurnTest is BidsMoney, FlushBurnTest { }

contract BidsSweepTest is BidsMoney, SweepTest { }

contract BidsLedgerViewsTest is BidsMoney, LedgerViewsTest { }
