// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { CollateralVault } from "../../src/CollateralVault.sol";
import { ICollateralVault } from "../../src/interfaces/ICollateralVault.sol";
import { Base } from "../Base.t.sol";

contract VaultConstructorTest is Base {
    address private constant ESCROW = address(0xe5c);
    address private constant ARBITER = address(0xa4b);

    function _deploy(ICollateralVault.Config memory config) private returns (CollateralVault) {
        return new CollateralVault{ value: SEED_WEI }(config);
    }

    function _expectBad(string memory what) private {
        vm.expectRevert(abi.encodeWithSelector(ICollateralVault.CollateralVault_BadConfig.selector, what));
    }

    function test_KeepsWhatItIsGiven() external {
        CollateralVault made = _deploy(_vaultConfig(ESCROW, ARBITER));
        assertEq(made.NETUID(), NETUID);
        assertEq(made.NETUID_HASH(), NETUID_HASH);
        assertEq(made.ESCROW(), ESCROW);
        assertEq(made.ARBITER(), ARBITER);
        assertEq(made.EXIT_DELAY_SECS(), 2 days);
        assertEq(made.EXIT_WINDOW_SECS(), 3 days);
        assertEq(made.registrationCount(), 0);
        assertEq(_rao(made.liabilities()), 0, "the seed is owed to nobody");
        assertEq(address(made).balance, SEED_WEI);
    }

    function test_RevertWhen_EscrowIsZero() external {
        _expectBad("escrow is zero");
        _deploy(_vaultConfig(address(0), ARBITER));
    }

    function test_RevertWhen_ArbiterIsZero() external {
        _expectBad("arbiter is zero");
        _deploy(_vaultConfig(ESCROW, address(0)));
    }

    function test_RevertWhen_SiblingsAreTheSame() external {
        _expectBad("escrow and arbiter are the same");
        _deploy(_vaultConfig(ESCROW, ESCROW));
    }

    function test_RevertWhen_NetuidHashIsZero() external {
        ICollateralVault.Config memory config = _vaultConfig(ESCROW, ARBITER);
        config.netuidHash = 0;
        _expectBad("netuidHash is zero");
        _deploy(config);
    }

    function test_RevertWhen_ExitDelayIsZero() external {
        ICollateralVault.Config memory config = _vaultConfig(ESCROW, ARBITER);
        config.exitDelaySecs = 0;
        _expectBad("exitDelaySecs is zero");
        _deploy(config);
    }

    function test_RevertWhen_ExitDelayIsOver30Days() external {
        ICollateralVault.Config memory config = _vaultConfig(ESCROW, ARBITER);
        config.exitDelaySecs = 30 days;
        _deploy(config);
        config.exitDelaySecs = 30 days + 1;
        _expectBad("exitDelaySecs is over 30 days");
        _deploy(config);
    }

    function test_RevertWhen_ExitWindowIsZero() external {
        ICollateralVault.Config memory config = _vaultConfig(ESCROW, ARBITER);
        config.exitWindowSecs = 0;
        _expectBad("exitWindowSecs is zero");
        _deploy(config);
    }

    function testFuzz_AnyConfigIsRefusedWithItsReasonOrKept(ICollateralVault.Config memory config, uint8 spoil)
        external
    {
        spoil %= 16; // above 5: nothing is spoiled on purpose
        if (spoil == 0) config.escrow = address(0);
        if (spoil == 1) config.arbiter = address(0);
        if (spoil == 2) config.arbiter = config.escrow;
        if (spoil == 3) config.netuidHash = 0;
        if (spoil == 4) config.exitDelaySecs = 0;
        if (spoil == 5) config.exitWindowSecs = 0;
        if (spoil >= 8) config.exitDelaySecs %= 30 days + 2;
        if (spoil >= 8) config.exitWindowSecs %= 365 days + 2;
        if (config.escrow == address(0)) _expectBad("escrow is zero");
        else if (config.arbiter == address(0)) _expectBad("arbiter is zero");
        else if (config.escrow == config.arbiter) _expectBad("escrow and arbiter are the same");
        else if (config.netuidHash == 0) _expectBad("netuidHash is zero");
        else if (config.exitDelaySecs == 0) _expectBad("exitDelaySecs is zero");
        else if (config.exitWindowSecs == 0) _expectBad("exitWindowSecs is zero");
        else if (config.exitDelaySecs > 30 days) _expectBad("exitDelaySecs is over 30 days");
        else if (config.exitWindowSecs > 365 days) _expectBad("exitWindowSecs is over 365 days");
        else return _assertKept(config);
        _deploy(config);
    }

    function _assertKept(ICollateralVault.Config memory config) private {
        CollateralVault made = _deploy(config);
        assertEq(made.NETUID(), config.netuid);
        assertEq(made.NETUID_HASH(), config.netuidHash);
        assertEq(made.ESCROW(), config.escrow);
        assertEq(made.ARBITER(), config.arbiter);
        assertEq(made.EXIT_DELAY_SECS(), config.exitDelaySecs);
        assertEq(made.EXIT_WINDOW_SECS(), config.exitWindowSecs);
    }

    function test_RevertWhen_ExitWindowIsOverAYear() external {
        ICollateralVault.Config memory config = _vaultConfig(ESCROW, ARBITER);
        config.exitWindowSecs = type(uint32).max;
        _expectBad("exitWindowSecs is over 365 days");
        _deploy(config);
    }
}
