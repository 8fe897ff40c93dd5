// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { createArbiter, createEscrow, createVault } from "../Build.sol";
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
        return createVault(SEED_WEI, OWNER, config);
    }

    function _escrow(address vaultAt, address arbiterOf, address keepersAt, uint32 lag) private returns (RentalEscrow) {
        (uint16[] memory classes, Rao[] memory bonds) = _classBonds();
        IRentalEscrow.Config memory config = _escrowConfig(vaultAt, arbiterOf);
        config.settleLagSecs = lag;
        config.keepers = keepersAt;
        return createEscrow(SEED_WEI, OWNER, config, classes, bonds);
    }

    function _config() private view returns (IArbiter.Config memory) {
        return _arbiterConfig(address(vault), address(escrow));
    }

    function _build(IArbiter.Config memory config) private returns (Arbiter) {
        return createArbiter(SEED_WEI, config);
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

    function test_WhenEverythingFits() external {
        Arbiter built = _build(_config());
        assertEq(address(built), arbiterAt);
        assertEq(address(built.VAULT()), address(vault));
        assertEq(address(built.ESCROW()), address(escrow));
        assertEq(address(built.KEEPERS()), address(keepers));
        assertEq(built.JUDGE(), JUDGE);
        assertEq(built.APPEAL_WINDOW_SECS(), 24 hours);
        assertEq(built.RULING_WINDOW_SECS(), 48 hours);
        assertEq(built.DELIVERY_GRACE_SECS(), 10 minutes);
        assertEq(built.MIN_INTERRUPTED_SECS(), 1 minutes);
        assertEq(built.MIN_OFFLINE_SECS(), 15 minutes);
        assertEq(built.FRESHNESS_SECS(), 5 minutes);
        assertEq(built.SPOOF_LIFE_SECS(), 24 hours);
        assertEq(built.NOT_DELIVERED_BPS(), 200);
        assertEq(built.OFFLINE_BPS(), 1_000);
        assertEq(built.BREAKER_BPS(), 10_000);
        assertEq(built.APPEAL_BOND_BPS(), 1_000);
        assertEq(_rao(built.MIN_APPEAL_BOND()), 10_000_000);
        assertEq(built.MAX_PENALTY_BPS(), 2_000);
        assertEq(built.caseCount(), 0);
        (uint32 day, Rao penalties) = built.penaltiesOfDay();
        assertEq(day + _rao(penalties), 0);
        assertEq(_rao(built.liabilities()), 0);
        assertEq(address(built).balance, SEED_WEI);
    }

    function test_RevertWhen_TheSeedIsNotExact() external {
        vm.expectRevert(abi.encodeWithSelector(IRaoLedger.RaoLedger_WrongSeed.selector, 0, SEED_WEI));
        createArbiter(0, _config());
        vm.expectRevert(abi.encodeWithSelector(IRaoLedger.RaoLedger_WrongSeed.selector, SEED_WEI + 1, SEED_WEI));
        createArbiter(SEED_WEI + 1, _config());
    }

    /* SIBLINGS */

    modifier whenTheSiblingsDoNotFit() {
        _;
    }

    function test_RevertWhen_TheKeepersHaveNoCode() external whenTheSiblingsDoNotFit {
        IArbiter.Config memory config = _config();
        config.keepers = STRANGER;
        _refuseConfig(config, "keepers has no code");
    }

    function test_RevertWhen_TheVaultNamesAnotherArbiter() external whenTheSiblingsDoNotFit {
        IArbiter.Config memory config = _config();
        config.vault = address(_vault(address(escrow), STRANGER, 2 days));
        vm.expectRevert(_bad("the vault names another arbiter"));
        _build(config); // and so does every vault, at another address than the one precomputed
    }

    function test_RevertWhen_DeployedWhereTheSiblingsDoNotExpectIt() external whenTheSiblingsDoNotFit {
        IArbiter.Config memory config = _config();
        vm.setNonceUnsafe(address(this), vm.getNonce(address(this)) + 1);
        vm.expectRevert(_bad("the vault names another arbiter"));
        _build(config);
    }

    function test_RevertWhen_TheVaultNamesAnotherEscrow() external whenTheSiblingsDoNotFit {
        uint64 nonce = vm.getNonce(address(this));
        CollateralVault other = _vault(STRANGER, vm.computeCreateAddress(address(this), nonce + 1), 2 days);
        IArbiter.Config memory config = _config();
        config.vault = address(other);
        _refuseConfig(config, "the vault names another escrow");
    }

    function test_RevertWhen_TheEscrowNamesAnotherArbiter() external whenTheSiblingsDoNotFit {
        uint64 nonce = vm.getNonce(address(this));
        address next = vm.computeCreateAddress(address(this), nonce + 2);
        RentalEscrow other =
            _escrow(vm.computeCreateAddress(address(this), nonce + 1), STRANGER, address(keepers), 1 hours);
        CollateralVault fits = _vault(address(other), next, 2 days);
        _refuseConfig(_arbiterConfig(address(fits), address(other)), "the escrow names another arbiter");
    }

    function test_RevertWhen_TheEscrowNamesAnotherVault() external whenTheSiblingsDoNotFit {
        uint64 nonce = vm.getNonce(address(this));
        address next = vm.computeCreateAddress(address(this), nonce + 2);
        RentalEscrow other = _escrow(STRANGER, next, address(keepers), 1 hours);
        CollateralVault fits = _vault(address(other), next, 2 days);
        _refuseConfig(_arbiterConfig(address(fits), address(other)), "the escrow names another vault");
    }

    function test_RevertWhen_TheEscrowNamesOtherKeepers() external whenTheSiblingsDoNotFit {
        uint64 nonce = vm.getNonce(address(this));
        address next = vm.computeCreateAddress(address(this), nonce + 2);
        RentalEscrow other = _escrow(vm.computeCreateAddress(address(this), nonce + 1), next, address(vault), 1 hours);
        CollateralVault fits = _vault(address(other), next, 2 days);
        _refuseConfig(_arbiterConfig(address(fits), address(other)), "the escrow names other keepers");
    }

    function test_RevertWhen_TheVaultNamesOtherKeepers() external whenTheSiblingsDoNotFit {
        uint64 nonce = vm.getNonce(address(this));
        address next = vm.computeCreateAddress(address(this), nonce + 2);
        address strangeAt = vm.computeCreateAddress(address(this), nonce + 1);
        RentalEscrow other = _escrow(strangeAt, next, address(keepers), 1 hours);
        ICollateralVault.Config memory config = _vaultConfig(address(other), next);
        config.keepers = address(other);
        CollateralVault strange = createVault(SEED_WEI, OWNER, config);
        _refuseConfig(_arbiterConfig(address(strange), address(other)), "the vault names other keepers");
    }

    /* WHO, HOW MUCH */

    modifier whenWhoAndHowMuchDoesNotMakeSense() {
        _;
    }

    function test_RevertWhen_TheJudgeIsNobody() external whenWhoAndHowMuchDoesNotMakeSense {
        IArbiter.Config memory config = _config();
        config.judge = address(0);
        _refuseConfig(config, "judge is zero");
    }

    function test_RevertWhen_APenaltyIsOverAFifth() external whenWhoAndHowMuchDoesNotMakeSense {
        IArbiter.Config memory config = _config();
        config.notDeliveredBps = 2_001;
        _refuseConfig(config, "notDeliveredBps is over 2,000");
        config = _config();
        config.offlineBps = 2_001;
        _refuseConfig(config, "offlineBps is over 2,000");
        config.offlineBps = config.notDeliveredBps = 2_000;
        _build(config);
    }

    function test_RevertWhen_TheBreakerIsNoShare() external whenWhoAndHowMuchDoesNotMakeSense {
        IArbiter.Config memory config = _config();
        config.breakerBps = 0;
        _refuseConfig(config, "breakerBps is zero");
        config.breakerBps = 10_001;
        _refuseConfig(config, "breakerBps is over 10,000");
        config.breakerBps = 1;
        _build(config);
    }

    /* TIMES */

    modifier whenTheTimesDoNotFitTogether() {
        _;
    }

    function test_RevertWhen_ATimeIsZero() external whenTheTimesDoNotFitTogether {
        IArbiter.Config memory config = _config();
        config.appealWindowSecs = 0;
        _refuseConfig(config, "appealWindowSecs is zero");
        config = _config();
        config.rulingWindowSecs = 0;
        _refuseConfig(config, "rulingWindowSecs is zero");
        config = _config();
        config.deliveryGraceSecs = 0;
        _refuseConfig(config, "deliveryGraceSecs is zero");
        config = _config();
        config.minInterruptedSecs = 0;
        _refuseConfig(config, "minInterruptedSecs is zero");
        config = _config();
        config.freshnessSecs = 0;
        _refuseConfig(config, "freshnessSecs is zero");
        config = _config();
        config.spoofLifeSecs = 0;
        _refuseConfig(config, "spoofLifeSecs is zero");
    }

    /// @dev Times are 32 bits: a case of a window without bound could never be decided.
    function test_RevertWhen_AWindowIsOverThirtyDays() external whenTheTimesDoNotFitTogether {
        IArbiter.Config memory config = _config();
        config.appealWindowSecs = 30 days + 1;
        _refuseConfig(config, "appealWindowSecs is over 30 days");
        config.appealWindowSecs = 30 days;
        config.rulingWindowSecs = type(uint32).max;
        _refuseConfig(config, "rulingWindowSecs is over 30 days");
        config.rulingWindowSecs = 30 days + 1;
        _refuseConfig(config, "rulingWindowSecs is over 30 days");
        config.rulingWindowSecs = 30 days;
        _build(config);
    }

    function test_RevertWhen_AnOutageIsShorterThanAnInterruption() external whenTheTimesDoNotFitTogether {
        IArbiter.Config memory config = _config();
        config.minOfflineSecs = config.minInterruptedSecs - 1;
        _refuseConfig(config, "minOfflineSecs is under minInterruptedSecs");
    }

    function test_RevertWhen_TheLagIsShorterThanTheTimeToFile() external whenTheTimesDoNotFitTogether {
        IArbiter.Config memory config = _config();
        config.minOfflineSecs = 55 minutes + 1;
        _refuseConfig(config, "settleLagSecs is under minOfflineSecs + freshnessSecs");
        config = _config();
        config.deliveryGraceSecs = 55 minutes + 1;
        _refuseConfig(config, "settleLagSecs is under deliveryGraceSecs + freshnessSecs");
        config.deliveryGraceSecs = config.minOfflineSecs = 55 minutes;
        _build(config);
    }

    function test_RevertWhen_TheAppealWindowIsShorterThanTheLag() external whenTheTimesDoNotFitTogether {
        IArbiter.Config memory config = _config();
        config.appealWindowSecs = 1 hours - 1;
        _refuseConfig(config, "appealWindowSecs is under settleLagSecs");
        config.appealWindowSecs = 1 hours;
        _build(config);
    }

    function test_RevertWhen_BondLeavesBeforeASpoofIsTooOld() external whenTheTimesDoNotFitTogether {
        IArbiter.Config memory config = _config();
        config.spoofLifeSecs = 2 days + 1;
        _refuseConfig(config, "exitDelaySecs is under spoofLifeSecs");
        config.spoofLifeSecs = 2 days;
        _build(config);
    }

    function test_RevertWhen_BondLeavesBeforePayDoes() external whenTheTimesDoNotFitTogether {
        _siblings(1 hours, 1 hours - 1);
        IArbiter.Config memory config = _config();
        config.spoofLifeSecs = 1 hours - 1;
        _refuseConfig(config, "exitDelaySecs is under settleLagSecs");
        _siblings(1 hours, 1 hours);
        config = _config();
        config.spoofLifeSecs = 1 hours;
        _build(config);
    }

    /* A TOTAL FUNCTION */

    struct Draw {
        bool nobody;
        uint32[7] secs;
        uint16[3] bps;
        uint32 lag;
        uint32 exitDelay;
    }

    function testFuzz_EveryConfigIsTakenOrRefusedByTheFirstRuleItBreaks(Draw memory d) external {
        d.lag = 1 + d.lag % 2_000;
        d.exitDelay = d.exitDelay % 16 == 0 ? 1 + d.exitDelay % d.lag : d.lag + d.exitDelay % 4_000;
        _siblings(d.lag, d.exitDelay);
        IArbiter.Config memory config = _config();
        if (d.nobody && d.secs[0] % 4 == 0) config.judge = address(0);
        config.appealWindowSecs = _window(d.secs[0], d.lag);
        config.rulingWindowSecs = _window(d.secs[5], 1);
        config.deliveryGraceSecs = d.secs[1] % 16 == 0 ? 0 : d.secs[1] % (d.lag + 2);
        config.minInterruptedSecs = d.secs[2] % 16;
        config.minOfflineSecs = d.secs[3] % 16 == 0 ? d.secs[3] % 32 : d.secs[3] % (d.lag + 2);
        config.freshnessSecs = d.secs[4] % 16 == 0 ? 0 : d.secs[4] % 100;
        config.spoofLifeSecs = d.secs[6] % 16 == 0 ? 0 : d.secs[6] % (d.exitDelay + 100);
        config.notDeliveredBps = 1_800 + d.bps[0] % 220;
        config.offlineBps = 1_800 + d.bps[1] % 220;
        config.breakerBps = d.bps[2] % 11_000;
        bytes memory expected = _prediction(config, d.lag, d.exitDelay);
        if (expected.length != 0) vm.expectRevert(expected);
        Arbiter built = _build(config);
        if (expected.length != 0) return;
        assertEq(built.MIN_OFFLINE_SECS(), config.minOfflineSecs);
        assertEq(built.OFFLINE_BPS(), config.offlineBps);
        assertEq(built.RULING_WINDOW_SECS(), config.rulingWindowSecs);
        assertEq(built.BREAKER_BPS(), config.breakerBps);
    }

    /// @dev Mostly a good one; at times zero, too short or too long.
    function _window(uint32 draw, uint32 least) private pure returns (uint32) {
        if (draw % 16 == 0) return 0;
        if (draw % 16 == 1) return draw % (least + 1);
        if (draw % 16 == 2) return 30 days - 1 + draw % 3;
        return least + draw % (30 days - least + 1);
    }

    function _prediction(IArbiter.Config memory c, uint32 lag, uint32 exitDelay) private pure returns (bytes memory) {
        if (c.judge == address(0)) return _bad("judge is zero");
        if (c.appealWindowSecs == 0) return _bad("appealWindowSecs is zero");
        if (c.rulingWindowSecs == 0) return _bad("rulingWindowSecs is zero");
        if (c.appealWindowSecs > 30 days) return _bad("appealWindowSecs is over 30 days");
        if (c.rulingWindowSecs > 30 days) return _bad("rulingWindowSecs is over 30 days");
        if (c.breakerBps == 0) return _bad("breakerBps is zero");
        if (c.breakerBps > 10_000) return _bad("breakerBps is over 10,000");
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
        if (c.appealWindowSecs < lag) return _bad("appealWindowSecs is under settleLagSecs");
        if (exitDelay < c.spoofLifeSecs) return _bad("exitDelaySecs is under spoofLifeSecs");
        if (exitDelay < lag) return _bad("exitDelaySecs is under settleLagSecs");
        if (c.notDeliveredBps > 2_000) return _bad("notDeliveredBps is over 2,000");
        if (c.offlineBps > 2_000) return _bad("offlineBps is over 2,000");
        return "";
    }
}
