// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { IArbiter } from "../src/interfaces/IArbiter.sol";
import { Rao, RaoPerSecond, Timestamp } from "../src/types/Units.sol";
import { Base } from "./Base.t.sol";

/// @dev The whole way through, once, with the money followed to the last rao.
contract StoryTest is Base {
    function test_AnOutageEndsTheRentalAndEveryRaoIsAccountedFor() external {
        uint64 rental = _rented();
        uint32 start = _now();
        skip(2 hours);
        escrow.claim(rental); // an hour is earned and out of reach
        assertEq(_rao(escrow.creditOf(MINER)), uint64(PRICE) * 1 hours);

        uint32 out = _now();
        skip(20 minutes);
        arbiter.file(IArbiter.Kind.Offline, rental, 0, _attest(IArbiter.Kind.Offline, rental, out, _now() - 60, 3));
        uint64 refund = uint64(PRICE) * (DAY - (2 hours + 20 minutes));
        assertEq(_rao(escrow.creditOf(RENTER)), refund, "the rest is the renter's at once");
        (, Rao reserved, Rao held,, Rao free) = vault.bondOf(MACHINE);
        uint64 penalty = _rao(arbiter.caseAt(1).penalty);
        assertEq(penalty, 7_200 * uint64(PRICE), "what the rental earned is less than a tenth of the reserve");
        assertEq(_rao(held), penalty);
        assertEq(_rao(reserved), H100_BOND - penalty);
        assertEq(_rao(free), 1e9 - H100_BOND);

        skip(1 hours);
        escrow.close(rental); // waits for no case
        assertEq(_rao(escrow.creditOf(MINER)), uint64(PRICE) * 2 hours);
        skip(23 hours);
        arbiter.execute(1);
        assertEq(_rao(escrow.creditOf(RENTER)), refund + uint64(PRICE) * 20 minutes);
        assertEq(_rao(escrow.liabilities()), uint64(PRICE) * DAY, "in == out, nothing withdrawn yet");
        vault.flushBurn();
        assertEq(TRANSFERS.balanceOf(BURN), penalty);

        escrow.withdrawCredit(RENTER);
        escrow.withdrawCredit(MINER);
        assertEq(_rao(escrow.liabilities()), 0);
        assertEq(address(escrow).balance, SEED_WEI);

        vm.startPrank(MINER);
        vault.requestExit(MACHINE, Rao.wrap(1e9 - penalty));
        skip(2 days);
        vault.withdraw(MACHINE);
        vm.stopPrank();
        vault.withdrawCredit(MINER);
        assertEq(_rao(vault.liabilities()), 0);
        assertEq(address(vault).balance, SEED_WEI);
        assertEq(start + 2 hours, out);
    }

    /// @dev Somebody's wish is matched, the machine is called offline, and the judge believes the miner.
    function test_AWonAppealUndoesACaseToTheLastRao() external {
        _ready(MACHINE, 1e9);
        uint256 postedWei = uint256(PRICE + 5) * DAY * WEI;
        vm.prank(RENTER);
        uint64 bid = bids.post{ value: postedWei }(
            H100, 1, DAY, RaoPerSecond.wrap(PRICE + 5), RENTER_KEY, Timestamp.wrap(_now() + 1 hours)
        );
        uint64 rental = bids.fill(bid, MACHINE, _certify(MACHINE, 3));
        assertEq(_rao(bids.creditOf(RENTER)), 5 * uint64(DAY), "what it costs less is the renter's at once");
        skip(4 hours);
        uint32 out = _now();
        skip(20 minutes);
        arbiter.file(IArbiter.Kind.Offline, rental, 0, _attest(IArbiter.Kind.Offline, rental, out, _now() - 60, 3));
        uint64 penalty = _rao(arbiter.caseAt(1).penalty);
        assertEq(penalty, uint64(PRICE) * 4 hours);
        vm.prank(MINER);
        arbiter.appeal{ value: 10_000_000 * WEI }(1, keccak256("it was your network"));
        skip(24 hours);
        escrow.close(rental); // waits for no judge
        vm.prank(JUDGE);
        arbiter.rule(1, false);
        assertEq(_rao(arbiter.creditOf(MINER)), 10_000_000, "the appeal bond");
        assertEq(_rao(escrow.creditOf(MINER)), uint64(PRICE) * (4 hours + 20 minutes), "paid for the outage too");
        assertEq(_rao(escrow.creditOf(RENTER)), uint64(PRICE) * (DAY - 4 hours - 20 minutes));
        (Rao bonded,,,, Rao free) = vault.bondOf(MACHINE);
        assertEq(_rao(free), 1e9, "no bond is lost");
        assertEq(_rao(bonded), 1e9);
        bids.withdrawCredit(RENTER);
        escrow.withdrawCredit(RENTER);
        escrow.withdrawCredit(MINER);
        arbiter.withdrawCredit(MINER);
        assertEq(_rao(bids.liabilities()) + _rao(escrow.liabilities()) + _rao(arbiter.liabilities()), 0);
        assertEq(address(bids).balance + address(escrow).balance + address(arbiter).balance, 3 * SEED_WEI);
    }
}
