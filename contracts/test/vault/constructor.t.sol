// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { Ownable } from "@openzeppelin/contracts/access/Ownable.sol";
import { createVault } from "../Build.sol";
import { CollateralVault } from "../../src/CollateralVault.sol";
import { ICollateralVault } from "../../src/interfaces/ICollateralVault.sol";
import { IGate } from "../../src/interfaces/IGate.sol";
import { Timestamp } from "../../src/types/Units.sol";
import { Base } from "../Base.t.sol";

contract VaultConstructorTest is Base {
    address private constant ESCROW = address(0xe5c);
    address private constant ARBITER = address(0xa4b);

    function _make(ICollateralVault.Config memory config) private returns (CollateralVault) {
        return createVault(SEED_WEI, OWNER, config);
    }

    function _good() private view returns (ICollateralVault.Config memory) {
        return _vaultConfig(ESCROW, ARBITER);
    }

    function _expectBad(string memory what) private {
        vm.expectRevert(abi.encodeWithSelector(ICollateralVault.CollateralVault_BadConfig.selector, what));
    }

    function test_RevertWhen_TheEscrowIsZero() external {
        _expectBad("escrow is zero");
        _make(_vaultConfig(address(0), ARBITER));
    }

    function test_RevertWhen_TheArbiterIsZero() external {
        _expectBad("arbiter is zero");
        _make(_vaultConfig(ESCROW, address(0)));
    }

    function test_RevertWhen_EscrowAndArbiterAreTheSame() external {
        _expectBad("escrow and arbiter are the same");
        _make(_vaultConfig(ESCROW, ESCROW));
    }

    function test_RevertWhen_TheKeeperSetIsZero() external {
        ICollateralVault.Config memory config = _good();
        config.keepers = address(0);
        _expectBad("keepers is zero");
        _make(config);
    }

    function test_RevertWhen_TheNetuidHashIsZero() external {
        ICollateralVault.Config memory config = _good();
        config.netuidHash = 0;
        _expectBad("netuidHash is zero");
        _make(config);
    }

    function test_RevertWhen_TheExitDelayIsZero() external {
        ICollateralVault.Config memory config = _good();
        config.exitDelaySecs = 0;
        _expectBad("exitDelaySecs is zero");
        _make(config);
    }

    function test_RevertWhen_TheExitWindowIsZero() external {
        ICollateralVault.Config memory config = _good();
        config.exitWindowSecs = 0;
        _expectBad("exitWindowSecs is zero");
        _make(config);
    }

    function test_RevertWhen_TheExitDelayIsASecondOver30Days() external {
        ICollateralVault.Config memory config = _good();
        config.exitDelaySecs = 30 days + 1;
        _expectBad("exitDelaySecs is over 30 days");
        _make(config);
        config.exitDelaySecs = type(uint32).max;
        _expectBad("exitDelaySecs is over 30 days");
        _make(config);
    }

    function test_RevertWhen_TheExitWindowIsASecondOverAYear() external {
        ICollateralVault.Config memory config = _good();
        config.exitWindowSecs = 365 days + 1;
        _expectBad("exitWindowSecs is over 365 days");
        _make(config);
        config.exitWindowSecs = type(uint32).max;
        _expectBad("exitWindowSecs is over 365 days");
        _make(config);
    }

    function test_RevertWhen_AStatementsLifeIsZeroOrASecondOverAWeek() external {
        ICollateralVault.Config memory config = _good();
        config.statementLifeSecs = 0;
        _expectBad("statementLifeSecs is zero");
        _make(config);
        config.statementLifeSecs = 7 days + 1;
        _expectBad("statementLifeSecs is over 7 days");
        _make(config);
    }

    function test_RevertWhen_TheFilingElsewhereIsZeroOrASecondOver30Days() external {
        ICollateralVault.Config memory config = _good();
        config.statedFilingSecs = 0;
        _expectBad("statedFilingSecs is zero");
        _make(config);
        config.statedFilingSecs = 30 days + 1;
        _expectBad("statedFilingSecs is over 30 days");
        _make(config);
    }

    function test_RevertWhen_TheOwnerIsZero() external {
        vm.expectRevert(abi.encodeWithSelector(Ownable.OwnableInvalidOwner.selector, address(0)));
        createVault(SEED_WEI, address(0), _good());
    }

    function test_WhenWindowsAreAtTheirBounds() external {
        ICollateralVault.Config memory config = _good();
        (config.exitDelaySecs, config.exitWindowSecs) = (30 days, 365 days);
        (config.statementLifeSecs, config.statedFilingSecs) = (7 days, 30 days);
        _assertKept(config);
        (config.exitDelaySecs, config.exitWindowSecs) = (1, 1);
        (config.statementLifeSecs, config.statedFilingSecs) = (1, 1);
        _assertKept(config);
    }

    function test_WhenTheGuardianIsZero() external {
        ICollateralVault.Config memory config = _good();
        config.guardian = address(0);
        CollateralVault made = _make(config);
        vm.expectRevert(abi.encodeWithSelector(IGate.Gate_OnlyGuardian.selector, GUARDIAN));
        vm.prank(GUARDIAN);
        made.pause(1);
    }

    function test_WhenEverythingFits() external {
        vm.expectEmit();
        emit IGate.GuardianSet(GUARDIAN);
        CollateralVault made = _make(_good());
        _assertKept(_good());
        assertEq(made.owner(), OWNER);
        assertEq(made.guardian(), GUARDIAN);
        (Timestamp pausedUntil, bool isSunset) = made.gate();
        assertEq(Timestamp.unwrap(pausedUntil), 0);
        assertFalse(isSunset);
        assertEq(made.registrationCount(), 0);
        assertEq(_rao(made.liabilities()), 0, "the seed is owed to nobody");
        assertEq(address(made).balance, SEED_WEI);
    }

    function _assertKept(ICollateralVault.Config memory config) private {
        CollateralVault made = _make(config);
        assertEq(made.NETUID(), config.netuid);
        assertEq(made.NETUID_HASH(), config.netuidHash);
        assertEq(made.ESCROW(), config.escrow);
        assertEq(made.ARBITER(), config.arbiter);
        assertEq(address(made.KEEPERS()), config.keepers);
        assertEq(made.STATEMENT_LIFE_SECS(), config.statementLifeSecs);
        assertEq(made.STATED_FILING_SECS(), config.statedFilingSecs);
        assertEq(made.EXIT_DELAY_SECS(), config.exitDelaySecs);
        assertEq(made.EXIT_WINDOW_SECS(), config.exitWindowSecs);
        assertEq(made.guardian(), config.guardian);
    }

    function testFuzz_AnyConfigIsRefusedWithItsReasonOrKept(ICollateralVault.Config memory config, uint8 spoil)
        external
    {
        spoil %= 16; // above 8: nothing is spoiled on purpose
        if (spoil == 0) config.escrow = address(0);
        if (spoil == 1) config.arbiter = address(0);
        if (spoil == 2) config.arbiter = config.escrow;
        if (spoil == 3) config.netuidHash = 0;
        if (spoil == 4) config.exitDelaySecs = 0;
        if (spoil == 5) config.exitWindowSecs = 0;
        if (spoil == 6) config.keepers = address(0);
        if (spoil == 7) config.statementLifeSecs = 0;
        if (spoil == 8) config.statedFilingSecs = 0;
        if (spoil >= 9) config.exitDelaySecs %= 30 days + 2;
        if (spoil >= 9) config.exitWindowSecs %= 365 days + 2;
        if (spoil >= 9) config.statementLifeSecs %= 7 days + 2;
        if (spoil >= 9) config.statedFilingSecs %= 30 days + 2;
        if (config.escrow == address(0)) _expectBad("escrow is zero");
        else if (config.arbiter == address(0)) _expectBad("arbiter is zero");
        else if (config.escrow == config.arbiter) _expectBad("escrow and arbiter are the same");
        else if (config.keepers == address(0)) _expectBad("keepers is zero");
        else if (config.netuidHash == 0) _expectBad("netuidHash is zero");
        else if (config.exitDelaySecs == 0) _expectBad("exitDelaySecs is zero");
        else if (config.exitWindowSecs == 0) _expectBad("exitWindowSecs is zero");
        else if (config.exitDelaySecs > 30 days) _expectBad("exitDelaySecs is over 30 days");
        else if (config.exitWindowSecs > 365 days) _expectBad("exitWindowSecs is over 365 days");
        else if (config.statementLifeSecs == 0) _expectBad("statementLifeSecs is zero");
        else if (config.statementLifeSecs > 7 days) _expectBad("statementLifeSecs is over 7 days");
        else if (config.statedFilingSecs == 0) _expectBad("statedFilingSecs is zero");
        else if (config.statedFilingSecs > 30 days) _expectBad("statedFilingSecs is over 30 days");
        else return _assertKept(config);
        _make(config);
    }
}
