// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { IArbiter } from "../../src/interfaces/IArbiter.sol";
import { ICollateralVault } from "../../src/interfaces/ICollateralVault.sol";
import { Rao, Timestamp } from "../../src/types/Units.sol";
import { ArbiterBase } from "./ArbiterBase.t.sol";

contract AppealTest is ArbiterBase {
    address private constant NEXT_MINER = address(0x1234);
    uint256 private constant MIN_BOND_WEI = uint256(MIN_APPEAL_BOND) * WEI;

    function test_RevertWhen_ThereIsNoSuchCase() external {
        _refuseAppeal(MINER, 1, MIN_BOND_WEI, _notAppealable(1, NONE, APPEAL_WINDOW));
        _refuseAppeal(MINER, 0, MIN_BOND_WEI, _notAppealable(0, NONE, APPEAL_WINDOW));
        _refuseAppeal(MINER, type(uint64).max, MIN_BOND_WEI, _notAppealable(type(uint64).max, NONE, APPEAL_WINDOW));
    }

    function test_RevertGiven_TheCaseIsDecided() external {
        _outage();
        uint32 until = _now() + APPEAL_WINDOW;
        _appeal(1);
        uint256 snapshot = vm.snapshotState();
        _rule(1, false);
        _refuseAppeal(MINER, 1, MIN_BOND_WEI, _notAppealable(1, DISMISSED, until));
        vm.revertToState(snapshot);
        _rule(1, true);
        _refuseAppeal(MINER, 1, MIN_BOND_WEI, _notAppealable(1, EXECUTED, until));
    }

    function test_RevertGiven_TheCaseIsAppealedAlready() external {
        _outage();
        _appeal(1);
        _refuseAppeal(MINER, 1, MIN_BOND_WEI, _notAppealable(1, APPEALED, _now() + APPEAL_WINDOW));
        assertEq(_arbiterOwes(), MIN_APPEAL_BOND, "one bond");
    }

    function test_RevertGiven_TheAppealWindowIsOver() external {
        _outage();
        uint32 until = _now() + APPEAL_WINDOW;
        vm.warp(until);
        _refuseAppeal(MINER, 1, MIN_BOND_WEI, _notAppealable(1, FILED, until));
    }

    modifier givenTheCaseWaitsForItsWindow() {
        skip(2 hours);
        _;
    }

    function test_RevertWhen_TheCallerIsNotTheMinerOfTheNode() external givenTheCaseWaitsForItsWindow {
        _outage();
        for (uint256 i = 1; i < everybody.length; ++i) {
            vm.deal(everybody[i], 1 ether);
            _refuseAppeal(everybody[i], 1, MIN_BOND_WEI, _onlyMiner(1, everybody[i]));
        }
    }

    function test_RevertWhen_NoWholeRaoIsPaid() external givenTheCaseWaitsForItsWindow {
        _outage();
        _refuseAppeal(MINER, 1, 0, _notWhole(0));
        _refuseAppeal(MINER, 1, 1, _notWhole(1));
        _refuseAppeal(MINER, 1, MIN_BOND_WEI - 1, _notWhole(MIN_BOND_WEI - 1));
        _refuseAppeal(MINER, 1, MIN_BOND_WEI + 1, _notWhole(MIN_BOND_WEI + 1));
    }

    function test_RevertWhen_ThePaymentIsNotTheAppealBond() external givenTheCaseWaitsForItsWindow {
        _outage();
        uint64 bond = MIN_APPEAL_BOND;
        _refuseAppeal(MINER, 1, MIN_BOND_WEI - WEI, _wrongBond(bond - 1, bond));
        _refuseAppeal(MINER, 1, MIN_BOND_WEI + WEI, _wrongBond(bond + 1, bond));
        _refuseAppeal(MINER, 1, 2 * MIN_BOND_WEI, _wrongBond(2 * bond, bond));
        assertEq(_arbiterOwes(), 0);
    }

    modifier whenThePaymentIsTheAppealBond() {
        _;
        _assertBooks();
    }

    function test_GivenATenthOfThePenaltyIsMoreThanTheMinimum()
        external
        givenTheCaseWaitsForItsWindow
        whenThePaymentIsTheAppealBond
    {
        _deposit(MACHINE, 77); // so that a tenth is no whole number of rao
        _fileSpoofed(H100, 8, _spoofs(H100, 8, _now(), 3)); // all there is
        assertEq(_penaltyOf(1), 1e9 + 77);
        uint64 bond = 1e8 + 7;
        assertEq(_rao(arbiter.appealBondOf(1)), bond);
        skip(1 hours);
        uint32 ruleBy = _now() + RULING_WINDOW;
        IArbiter.Case memory before = arbiter.caseAt(1);
        vm.expectEmit(address(arbiter));
        emit IArbiter.Appealed(1, MINER, Rao.wrap(bond), PLEA, _at(ruleBy));
        _appealWith(MINER, 1, uint256(bond) * WEI);

        before.status = APPEALED;
        assertEq(keccak256(abi.encode(arbiter.caseAt(1))), keccak256(abi.encode(before)), "only the status");
        assertEq(_rao(arbiter.appealOf(1).bond), bond);
        assertEq(_ruleBy(1), ruleBy);
        assertEq(Timestamp.unwrap(arbiter.executableAt(1)), ruleBy + 1);
        assertEq(_arbiterOwes(), bond);
        assertEq(_rao(arbiter.toBurn()), 0);
        assertEq(address(arbiter).balance, bond * WEI + SEED_WEI);
        _assertBond(0, 1e9 + 77, 0, 0);
    }

    function test_GivenATenthOfThePenaltyIsLessThanTheMinimum()
        external
        givenTheCaseWaitsForItsWindow
        whenThePaymentIsTheAppealBond
    {
        _outage();
        assertEq(_penaltyOf(1), H100_BOND / 10);
        assertEq(_rao(arbiter.appealBondOf(1)), MIN_APPEAL_BOND);
        _appealWith(MINER, 1, MIN_BOND_WEI);
        _assertStatus(1, APPEALED);
        assertEq(_rentalAt(rental).openSecs, 20 minutes, "still withheld");
        _assertBond(H100_BOND - _penaltyOf(1), _penaltyOf(1), 0, 1e9 - H100_BOND);
    }

    function test_GivenThereIsNoPenalty() external givenTheCaseWaitsForItsWindow whenThePaymentIsTheAppealBond {
        _fileSeen(INTERRUPTED, 0, start + 60, start + 360);
        assertEq(_rao(arbiter.appealBondOf(1)), MIN_APPEAL_BOND);
        _appealWith(MINER, 1, MIN_BOND_WEI);
        _assertStatus(1, APPEALED);
        assertEq(_rentalAt(rental).openSecs, 300);
        _rule(1, false);
        assertEq(_creditOf(MINER), _cost(300));
        assertEq(_rao(arbiter.creditOf(MINER)), MIN_APPEAL_BOND);
        _assertBond(H100_BOND, 0, 0, 1e9 - H100_BOND);
    }

    function test_GivenAnIdleMachineSpoofed() external givenTheCaseWaitsForItsWindow whenThePaymentIsTheAppealBond {
        vm.warp(start + DAY + LAG);
        escrow.close(rental);
        _fileSpoofed(H100, 1, _spoofs(H100, 1, _now(), 3));
        uint64 bond = H100_BOND / 10;
        _appealWith(MINER, 1, bond * WEI);
        _assertBond(0, H100_BOND, 0, 1e9 - H100_BOND);
        _rule(1, false);
        _assertBond(0, 0, 0, 1e9);
        assertEq(_rao(arbiter.creditOf(MINER)), bond);
    }

    function test_GivenItIsTheLastSecondOfTheWindow()
        external
        givenTheCaseWaitsForItsWindow
        whenThePaymentIsTheAppealBond
    {
        _outage();
        skip(APPEAL_WINDOW - 1);
        _refuseExecute(1, _notExecutable(1, FILED, _now() + 1));
        _appeal(1);
        skip(1);
        _refuseExecute(1, _notExecutable(1, APPEALED, _now() + RULING_WINDOW)); // from the appeal, and a second
    }

    function test_GivenTheRentalIsClosed() external givenTheCaseWaitsForItsWindow whenThePaymentIsTheAppealBond {
        _outage();
        uint64 penalty = _penaltyOf(1);
        skip(LAG);
        escrow.close(rental);
        uint64 paid = _creditOf(MINER);
        _appeal(1);
        _rule(1, false);
        assertEq(_creditOf(MINER), paid + _cost(20 minutes));
        _assertBond(0, 0, 0, 1e9); // given back as free bond, there is no reserve any more
        assertEq(penalty, H100_BOND / 10);
    }

    /// @dev Only a node without bond can be retired, so only cases without penalty outlive it.
    function test_GivenTheMachineIsRetired() external givenTheCaseWaitsForItsWindow whenThePaymentIsTheAppealBond {
        _outliveTheNode();
        _appeal(2);
        assertEq(_rao(arbiter.appealOf(2).bond), MIN_APPEAL_BOND);
        _rule(2, false);
        assertEq(_creditOf(MINER), _cost(2 hours), "all that was served, and withheld for a while");
        assertEq(_rao(arbiter.creditOf(MINER)), MIN_APPEAL_BOND);
    }

    function test_GivenTheMachineIsAnotherMinersNow()
        external
        givenTheCaseWaitsForItsWindow
        whenThePaymentIsTheAppealBond
    {
        _outliveTheNode();
        _associate(NEXT_MINER);
        bytes32[2] memory sig = _signRegistration(MACHINE, NEXT_MINER);
        vm.deal(NEXT_MINER, 1 ether);
        vm.prank(NEXT_MINER);
        assertEq(vault.register(MACHINE, HOTKEY, 0, UID_HASH, _endpoint(), sig), 2);
        _refuseAppeal(NEXT_MINER, 2, MIN_BOND_WEI, _onlyMiner(2, NEXT_MINER));
        _appeal(2);
        _rule(2, false);
        assertEq(_rao(arbiter.creditOf(MINER)), MIN_APPEAL_BOND);
        assertEq(_rao(arbiter.creditOf(NEXT_MINER)), 0);
    }

    /// @dev All bond goes in a `Spoofed`, while 300 seconds are still withheld. The node cannot be retired before.
    function _outliveTheNode() private {
        _fileSpoofed(H100, 2, _spoofs(H100, 2, _now(), 3));
        skip(APPEAL_WINDOW - 1);
        _fileSeen(INTERRUPTED, 0, start + 60, start + 360);
        escrow.close(rental);
        bytes4 selector = ICollateralVault.CollateralVault_NotEmpty.selector;
        vm.expectRevert(abi.encodeWithSelector(selector, MACHINE, 1e9, false));
        vm.prank(MINER);
        vault.retire(MACHINE);
        skip(1);
        _execute(1);
        vm.prank(MINER);
        vault.retire(MACHINE);
    }

    /* A TOTAL FUNCTION */

    struct Draw {
        uint8 kind;
        uint8 who;
        uint8 dust;
        uint8 before;
        uint16 gpuCount;
        uint32 later;
        uint32 spread;
    }

    function testFuzz_EveryAppealIsTakenOrRefusedByTheFirstRuleItBreaks(Draw memory d) external {
        uint64 caseId = _somethingIsFiled(d);
        uint64 penalty = _penaltyOf(caseId);
        uint64 bond = penalty / 10 > MIN_APPEAL_BOND ? penalty / 10 : MIN_APPEAL_BOND;
        uint32 until = Timestamp.unwrap(arbiter.caseAt(caseId).filedAt) + APPEAL_WINDOW;
        if (caseId == 2) until = APPEAL_WINDOW; // there is no such case
        _somethingHappens(caseId, d.before);
        skip(d.later % 4 == 0 ? APPEAL_WINDOW - 1 + d.later % 3 : d.later % APPEAL_WINDOW);
        uint256 valueWei = uint256(d.spread % 4 == 0 ? bond - 2 + d.spread % 5 : bond) * WEI;
        if (d.dust % 8 == 0) valueWei = d.dust % 16 == 0 ? 0 : valueWei + d.dust;
        address who = d.who % 4 == 0 ? everybody[d.who / 4 % everybody.length] : MINER;
        vm.deal(who, 100 ether);
        bytes memory expected = _prediction(caseId, who, valueWei, bond, until);
        if (expected.length != 0) {
            _refuseAppeal(who, caseId, valueWei, expected);
            return;
        }
        uint64 owed = _arbiterOwes();
        _appealWith(who, caseId, valueWei);
        _assertStatus(caseId, APPEALED);
        assertEq(_rao(arbiter.appealOf(caseId).bond), bond);
        assertEq(_ruleBy(caseId), _now() + RULING_WINDOW);
        assertEq(_arbiterOwes(), owed + bond);
        _assertBooks();
    }

    function _somethingIsFiled(Draw memory d) private returns (uint64 caseId) {
        skip(1 hours + d.spread % 20 hours);
        if (d.kind % 4 == 0) caseId = _fileSpoofed(H100, d.gpuCount % 3, _spoofs(H100, d.gpuCount % 3, _now(), 3));
        else if (d.kind % 4 == 1) caseId = _fileSeen(INTERRUPTED, 0, start + 60, start + 360);
        else if (d.kind % 4 == 2) caseId = _fileSeen(OFFLINE, 0, _now() - 20 minutes, _now());
        else caseId = _fileSeen(NOT_DELIVERED, 0, start, _now());
        if (d.kind % 16 == 1) caseId = 2;
    }

    function _somethingHappens(uint64 caseId, uint8 what) private {
        if (caseId != 1 || what % 4 != 0) return;
        _appeal(1);
        if (what % 8 == 4) _rule(1, what % 16 == 4);
    }

    function _prediction(uint64 caseId, address who, uint256 valueWei, uint64 bond, uint32 until)
        private
        view
        returns (bytes memory)
    {
        IArbiter.Status status = _statusOf(caseId);
        if (status != FILED || _now() >= until) return _notAppealable(caseId, status, until);
        if (who != MINER) return _onlyMiner(caseId, who);
        if (valueWei == 0 || valueWei % WEI != 0) return _notWhole(valueWei);
        // forge-lint: disable-next-line(unsafe-typecast) a few TAO
        return valueWei != bond * WEI ? _wrongBond(uint64(valueWei / WEI), bond) : bytes("");
    }
}
