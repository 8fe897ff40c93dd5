// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { Arbiter } from "../../src/Arbiter.sol";
import { CollateralVault } from "../../src/CollateralVault.sol";
import { RentalEscrow } from "../../src/RentalEscrow.sol";
import { IArbiter } from "../../src/interfaces/IArbiter.sol";
import { IRaoLedger } from "../../src/interfaces/IRaoLedger.sol";
import { IRentalEscrow } from "../../src/interfaces/IRentalEscrow.sol";
import { ICollateralVault } from "../../src/interfaces/ICollateralVault.sol";
import { Rao } from "../../src/types/Units.sol";
import { Base } from "../Base.t.sol";

contract ArbiterConstructorTest is Base {
    address private arbiterAt;

    function setUp() public override {
        super.setUp();
        _siblings(1 hours, 2 days);
    }

    /// @dev A vault and an escrow that name each other, and the next contract created here as their arbiter.
    function _siblings(uint32 lag, uint32 exitDelay) private {
        uint64 nonce = vm.getNonce(address(this));
        address vaultAt = vm.computeCreateAddress(address(this), nonce);
        address escrowAt = vm.computeCreateAddress(address(this), nonce + 1);
        arbiterAt = vm.computeCreateAddress(address(this), nonce + 2);
        vault = _vault(escrowAt, arbiterAt, exitDelay);
        escrow = _escrow(vaultAt, arbiterAt, address(keepers), lag);
    }

    function _vault(address escrowAt, address arbiterOf, uint32 exitDelay) private returns (CollateralVault) {
        ICollateralVault.Config memory config = _vaultConfig(escrowAt, arbiterOf);
        config.exitDelaySecs = exitDelay;
        return new CollateralVault{ value: SEED_WEI }(config);
    }

    function _escrow(address vaultAt, address arbiterOf, address keepersAt, uint32 lag) private returns (RentalEscrow) {
        (uint16[] memory classes, Rao[] memory bonds) = _classBonds();
        IRentalEscrow.Config memory config = _escrowConfig(vaultAt, arbiterOf);
        config.settleLagSecs = lag;
        config.keepers = keepersAt;
        return new RentalEscrow{ value: SEED_WEI }(OWNER, config, classes, bonds);
    }

    function _config() private view returns (IArbiter.Config memory) {
        return _arbiterConfig(address(vault), address(escrow));
    }

    function _build(IArbiter.Config memory config) private returns (Arbiter) {
        return new Arbiter{ value: SEED_WEI }(config);
    }

    function _bad(string memory what) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IArbiter.Arbiter_BadConfig.selector, what);
    }

    /// @dev A failed creation uses up its address: the nonce is set back, so that the siblings still fit.
    function _refuseConfig(IArbiter.Config memory config, string memory what) private {
        uint64 nonce = vm.getNonce(address(this));
        vm.expectRevert(_bad(what));
        _build(config);
        vm.setNonceUnsafe(address(this), nonce);
    }

    function test_KeepsEveryParameterAndStartsEmpty() external {
        Arbiter built = _build(_config());
        assertEq(address(built), arbiterAt);
        assertEq(address(built.VAULT()), address(vault));
        assertEq(address(built.ESCROW()), address(escrow));
        assertEq(address(built.KEEPERS()), address(keepers));
        assertEq(built.APPEAL_WINDOW_SECS(), 24 hours);
        assertEq(built.DELIVERY_GRACE_SECS(), 10 minutes);
        assertEq(built.MIN_INTERRUPTED_SECS(), 1 minutes);
        assertEq(built.MIN_OFFLINE_SECS(), 15 minutes);
        assertEq(built.FRESHNESS_SECS(), 5 minutes);
        assertEq(built.SPOOF_LIFE_SECS(), 24 hours);
        assertEq(built.NOT_DELIVERED_BPS(), 200);
        assertEq(built.OFFLINE_BPS(), 1_000);
        assertEq(built.caseCount(), 0);
        assertEq(_rao(built.liabilities()), 0);
        assertEq(address(built).balance, SEED_WEI);
    }

    /* SIBLINGS */

    function test_RevertWhen_TheKeepersHaveNoCode() external {
        IArbiter.Config memory config = _config();
        config.keepers = STRANGER;
        _refuseConfig(config, "keepers has no code");
    }

    function test_RevertWhen_TheVaultNamesAnotherArbiter() external {
        IArbiter.Config memory config = _config();
        config.vault = address(_vault(address(escrow), STRANGER, 2 days));
        vm.expectRevert(_bad("the vault names another arbiter"));
        _build(config); // and so does every vault, at another address than the one precomputed
    }

    function test_RevertWhen_DeployedWhereTheSiblingsDoNotExpectIt() external {
        IArbiter.Config memory config = _config();
        vm.setNonceUnsafe(address(this), vm.getNonce(address(this)) + 1);
        vm.expectRevert(_bad("the vault names another arbiter"));
        _build(config);
    }

    function test_RevertWhen_TheVaultNamesAnotherEscrow() external {
        uint64 nonce = vm.getNonce(address(this));
        CollateralVault other = _vault(STRANGER, vm.computeCreateAddress(address(this), nonce + 1), 2 days);
        IArbiter.Config memory config = _config();
        config.vault = address(other);
        _refuseConfig(config, "the vault names another escrow");
    }

    function test_RevertWhen_TheEscrowNamesAnotherArbiter() external {
        uint64 nonce = vm.getNonce(address(this));
        address next = vm.computeCreateAddress(address(this), nonce + 2);
        RentalEscrow other =
            _escrow(vm.computeCreateAddress(address(this), nonce + 1), STRANGER, address(keepers), 1 hours);
        CollateralVault fits = _vault(address(other), next, 2 days);
        _refuseConfig(_arbiterConfig(address(fits), address(other)), "the escrow names another arbiter");
    }

    function test_RevertWhen_TheEscrowNamesAnotherVault() external {
        uint64 nonce = vm.getNonce(address(this));
        address next = vm.computeCreateAddress(address(this), nonce + 2);
        RentalEscrow other = _escrow(STRANGER, next, address(keepers), 1 hours);
        CollateralVault fits = _vault(address(other), next, 2 days);
        _refuseConfig(_arbiterConfig(address(fits), address(other)), "the escrow names another vault");
    }

    function test_RevertWhen_TheEscrowNamesOtherKeepers() external {
        uint64 nonce = vm.getNonce(address(this));
        address next = vm.computeCreateAddress(address(this), nonce + 2);
        RentalEscrow other = _escrow(vm.computeCreateAddress(address(this), nonce + 1), next, address(vault), 1 hours);
        CollateralVault fits = _vault(address(other), next, 2 days);
        _refuseConfig(_arbiterConfig(address(fits), address(other)), "the escrow names other keepers");
    }

    /* NUMBERS */

    function test_RevertWhen_ATimeIsZero() external {
        IArbiter.Config memory config = _config();
        config.appealWindowSecs = 0;
        _refuseConfig(config, "appealWindowSecs is zero");
        config.appealWindowSecs = 30 days + 1;
        _refuseConfig(config, "appealWindowSecs is over 30 days");
        config = _config();
        config.deliveryGraceSecs = 0;
        _refuseConfig(config, "deliveryGraceSecs is zero");
        config = _config();
        config.minInterruptedSecs = 0;
        _refuseConfig(config, "minInterruptedSecs is zero");
        config = _config();
        config.freshnessSecs = 0;
        _refuseConfig(config, "freshnessSecs is zero");
    }

    function test_RevertWhen_AnOutageIsShorterThanAnInterruption() external {
        IArbiter.Config memory config = _config();
        config.minOfflineSecs = config.minInterruptedSecs - 1;
        _refuseConfig(config, "minOfflineSecs is under minInterruptedSecs");
    }

    /// @dev Otherwise a claim overtakes an outage before anybody may file it.
    function test_RevertWhen_TheLagIsShorterThanTheTimeToFile() external {
        IArbiter.Config memory config = _config();
        config.minOfflineSecs = 55 minutes + 1;
        _refuseConfig(config, "settleLagSecs is under minOfflineSecs + freshnessSecs");
        config = _config();
        config.deliveryGraceSecs = 55 minutes + 1;
        _refuseConfig(config, "settleLagSecs is under deliveryGraceSecs + freshnessSecs");
        config.deliveryGraceSecs = config.minOfflineSecs = 55 minutes;
        _build(config);
    }

    function test_RevertWhen_BondLeavesBeforeThePayDoes() external {
        _siblings(1 hours, 1 hours - 1);
        _refuseConfig(_config(), "exitDelaySecs is under settleLagSecs");
        _siblings(1 hours, 1 hours);
        _build(_config());
    }

    function test_RevertWhen_APenaltyIsOverAFifth() external {
        IArbiter.Config memory config = _config();
        config.notDeliveredBps = 2_001;
        _refuseConfig(config, "notDeliveredBps is over 2,000");
        config = _config();
        config.offlineBps = 2_001;
        _refuseConfig(config, "offlineBps is over 2,000");
    }

    function test_RevertWhen_TheSeedIsNotExact() external {
        vm.expectRevert(abi.encodeWithSelector(IRaoLedger.RaoLedger_WrongSeed.selector, 0, SEED_WEI));
        new Arbiter(_config());
    }

    /* A TOTAL FUNCTION */

    function testFuzz_EveryConfigIsTakenOrRefusedByTheFirstRuleItBreaks(
        uint32[5] memory secs,
        uint16[2] memory bps,
        uint32 lag,
        uint32 exitDelay
    ) external {
        lag = 1 + lag % 2_000;
        exitDelay = 1 + lag - lag % 2 + exitDelay % 4_000;
        if (exitDelay % 16 == 0) exitDelay = 1 + exitDelay % lag;
        _siblings(lag, exitDelay);
        IArbiter.Config memory config = _config();
        config.appealWindowSecs = secs[0] % 16;
        config.deliveryGraceSecs = secs[1] % 16 == 0 ? 0 : secs[1] % 1_000;
        config.minInterruptedSecs = secs[2] % 16;
        config.minOfflineSecs = secs[3] % 16 == 0 ? secs[3] % 32 : secs[3] % 1_000;
        config.freshnessSecs = secs[4] % 16 == 0 ? 0 : secs[4] % 500;
        config.notDeliveredBps = 1_800 + bps[0] % 220;
        config.offlineBps = 1_800 + bps[1] % 220;
        bytes memory expected = _prediction(config, lag, exitDelay);
        if (expected.length != 0) vm.expectRevert(expected);
        Arbiter built = _build(config);
        if (expected.length != 0) return;
        assertEq(built.MIN_OFFLINE_SECS(), config.minOfflineSecs);
        assertEq(built.OFFLINE_BPS(), config.offlineBps);
    }

    function _prediction(IArbiter.Config memory c, uint32 lag, uint32 exitDelay) private pure returns (bytes memory) {
        if (c.appealWindowSecs == 0) return _bad("appealWindowSecs is zero");
        if (c.appealWindowSecs > 30 days) return _bad("appealWindowSecs is over 30 days");
        if (c.deliveryGraceSecs == 0) return _bad("deliveryGraceSecs is zero");
        if (c.minInterruptedSecs == 0) return _bad("minInterruptedSecs is zero");
        if (c.minInterruptedSecs > c.minOfflineSecs) return _bad("minOfflineSecs is under minInterruptedSecs");
        if (c.freshnessSecs == 0) return _bad("freshnessSecs is zero");
        if (c.spoofLifeSecs == 0) return _bad("spoofLifeSecs is zero");
        if (c.minOfflineSecs + c.freshnessSecs > lag) {
            return _bad("settleLagSecs is under minOfflineSecs + freshnessSecs");
        }
        if (c.deliveryGraceSecs + c.freshnessSecs > lag) {
            return _bad("settleLagSecs is under deliveryGraceSecs + freshnessSecs");
        }
        if (exitDelay < lag) return _bad("exitDelaySecs is under settleLagSecs");
        if (c.notDeliveredBps > 2_000) return _bad("notDeliveredBps is over 2,000");
        if (c.offlineBps > 2_000) return _bad("offlineBps is over 2,000");
        return "";
    }
}
