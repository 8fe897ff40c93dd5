// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { Ownable } from "@openzeppelin/contracts/access/Ownable.sol";
import { createEscrow } from "../Build.sol";
import { RentalEscrow } from "../../src/RentalEscrow.sol";
import { IRaoLedger } from "../../src/interfaces/IRaoLedger.sol";
import { IRentalEscrow } from "../../src/interfaces/IRentalEscrow.sol";
import { Rao } from "../../src/types/Units.sol";
import { EscrowBase } from "./EscrowBase.t.sol";

contract EscrowConstructorTest is EscrowBase {
    address private constant SIBLING = address(0xabc);

    function _config() private view returns (IRentalEscrow.Config memory config) {
        config = _escrowConfig(SIBLING, address(0xdef));
        config.feeBps = 17;
    }

    function _build(IRentalEscrow.Config memory config) private returns (RentalEscrow) {
        (uint16[] memory classes, Rao[] memory bonds) = _classBonds();
        return createEscrow(SEED_WEI, OWNER, config, classes, bonds);
    }

    function _bad(string memory what) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IRentalEscrow.RentalEscrow_BadConfig.selector, what);
    }

    function _refuseConfig(IRentalEscrow.Config memory config, string memory what) private {
        vm.expectRevert(_bad(what));
        _build(config);
    }

    function test_WhenAllIsRight() external {
        (uint16[] memory classes, Rao[] memory bonds) = _classBonds();
        vm.expectEmit();
        emit IRentalEscrow.ClassBondSet(H100, Rao.wrap(H100_BOND));
        RentalEscrow built = createEscrow(SEED_WEI, OWNER, _config(), classes, bonds);
        assertEq(built.owner(), OWNER);
        assertEq(address(built.VAULT()), SIBLING);
        assertEq(built.ARBITER(), address(0xdef));
        assertEq(address(built.KEEPERS()), address(keepers));
        assertEq(built.TREASURY(), TREASURY);
        assertEq(built.SETTLE_LAG_SECS(), 1 hours);
        assertEq(built.CERTIFICATE_LIFE_SECS(), 24 hours);
        assertEq(built.BOND_BPS(), 2_000);
        assertEq(built.FEE_BPS(), 17);
        assertEq(built.ABANDON_BPS(), 500);
        assertEq(_rao(built.classBond(H100)), H100_BOND);
        assertEq(_rao(built.classBond(H100 + 1)), 0);
        assertEq(built.rentalCount(), 0);
        assertEq(_rao(built.liabilities()), 0, "the seed is nobody's");
        assertEq(_rao(built.toBurn()), 0);
        assertEq(address(built).balance, SEED_WEI);
    }

    function test_RevertWhen_AClassBondIsOverAHundredTao() external {
        (uint16[] memory classes, Rao[] memory bonds) = _classBonds();
        bonds[0] = Rao.wrap(100e9);
        createEscrow(SEED_WEI, OWNER, _config(), classes, bonds);
        bonds[0] = Rao.wrap(100e9 + 1);
        bytes4 selector = IRentalEscrow.RentalEscrow_BadClassBond.selector;
        vm.expectRevert(abi.encodeWithSelector(selector, H100, 100e9 + 1, 100e9));
        createEscrow(SEED_WEI, OWNER, _config(), classes, bonds);
    }

    function test_RevertWhen_ThereIsNoOwner() external {
        (uint16[] memory classes, Rao[] memory bonds) = _classBonds();
        vm.expectRevert(abi.encodeWithSelector(Ownable.OwnableInvalidOwner.selector, address(0)));
        createEscrow(SEED_WEI, address(0), _config(), classes, bonds);
    }

    function test_RevertWhen_AnAddressIsMissing() external {
        IRentalEscrow.Config memory config = _config();
        config.vault = address(0);
        _refuseConfig(config, "vault is zero");
        config = _config();
        config.arbiter = address(0);
        _refuseConfig(config, "arbiter is zero");
        config = _config();
        config.keepers = address(0);
        _refuseConfig(config, "keepers is zero");
        config = _config();
        config.treasury = address(0);
        _refuseConfig(config, "treasury is zero");
    }

    function test_RevertWhen_ANumberIsOutOfBounds() external {
        IRentalEscrow.Config memory config = _config();
        config.bondBps = 10_001;
        _refuseConfig(config, "bondBps is over 10,000");
        config = _config();
        config.settleLagSecs = 0;
        _refuseConfig(config, "settleLagSecs is zero");
        config.settleLagSecs = 7 days + 1;
        _refuseConfig(config, "settleLagSecs is over 7 days");
        config = _config();
        config.certificateLifeSecs = 0;
        _refuseConfig(config, "certificateLifeSecs is zero");
        config.certificateLifeSecs = 7 days + 1;
        _refuseConfig(config, "certificateLifeSecs is over 7 days");
        config = _config();
        config.abandonBps = 2_001;
        _refuseConfig(config, "abandonBps is over 2,000");
        config = _config();
        config.feeBps = 501;
        _refuseConfig(config, "feeBps is over 500");
    }

    /// @dev Each bound itself is taken.
    function test_WhenEveryNumberIsAtItsBound() external {
        IRentalEscrow.Config memory config = _config();
        (config.bondBps, config.feeBps, config.abandonBps) = (10_000, 500, 2_000);
        (config.settleLagSecs, config.certificateLifeSecs) = (7 days, 7 days);
        RentalEscrow built = _build(config);
        assertEq(built.SETTLE_LAG_SECS(), 7 days);
        assertEq(built.CERTIFICATE_LIFE_SECS(), 7 days);
        (config.bondBps, config.feeBps, config.abandonBps) = (0, 0, 0);
        (config.settleLagSecs, config.certificateLifeSecs) = (1, 1);
        built = _build(config);
        assertEq(built.SETTLE_LAG_SECS(), 1);
        assertEq(built.CERTIFICATE_LIFE_SECS(), 1);
    }

    function test_RevertWhen_ClassesAndBondsDiffer() external {
        (uint16[] memory classes,) = _classBonds();
        vm.expectRevert(_bad("classes and bonds differ in length"));
        createEscrow(SEED_WEI, OWNER, _config(), classes, new Rao[](2));
    }

    function test_RevertWhen_TheSeedIsNotExact() external {
        (uint16[] memory classes, Rao[] memory bonds) = _classBonds();
        bytes4 selector = IRaoLedger.RaoLedger_WrongSeed.selector;
        vm.expectRevert(abi.encodeWithSelector(selector, SEED_WEI - 1, SEED_WEI));
        createEscrow(SEED_WEI - 1, OWNER, _config(), classes, bonds);
        vm.expectRevert(abi.encodeWithSelector(selector, SEED_WEI + 1, SEED_WEI));
        createEscrow(SEED_WEI + 1, OWNER, _config(), classes, bonds);
    }

    function test_RevertGiven_TheChainHasNoPayouts() external {
        vm.etch(address(0x800), "");
        vm.expectRevert(abi.encodeWithSelector(IRaoLedger.RaoLedger_NotSubtensor.selector, address(0x800)));
        _build(_config());
    }

    /// @dev Small ranges round every bound, so that each branch is taken.
    function testFuzz_EveryConfigIsTakenOrRefusedByTheFirstRuleItBreaks(
        uint8 zeros,
        uint16 bondBps,
        uint32 lag,
        uint32 life,
        uint16 feeBps,
        uint16 abandonBps,
        uint16 valueOff
    ) external {
        IRentalEscrow.Config memory config = _config();
        config.bondBps = 9_990 + bondBps % 12;
        config.settleLagSecs = lag % 8 == 0 ? lag % 16 / 8 * (7 days + 1) : 1 + lag % 7 days;
        config.certificateLifeSecs = life % 8 == 0 ? life % 16 / 8 * (7 days + 1) : 1 + life % 7 days;
        config.feeBps = 490 + feeBps % 12;
        config.abandonBps = 1_990 + abandonBps % 12;
        if (zeros % 64 == 1) config.vault = address(0);
        if (zeros % 64 == 2) config.arbiter = address(0);
        if (zeros % 64 == 3) config.keepers = address(0);
        if (zeros % 64 == 4) config.treasury = address(0);
        uint256 value = valueOff % 16 == 0 ? valueOff : SEED_WEI;
        (uint16[] memory classes, Rao[] memory bonds) = _classBonds();
        bool success = _expect(_prediction(config, value));
        RentalEscrow built = createEscrow(value, OWNER, config, classes, bonds);
        if (!success) return;
        assertEq(built.SETTLE_LAG_SECS(), config.settleLagSecs);
        assertEq(built.CERTIFICATE_LIFE_SECS(), config.certificateLifeSecs);
        assertEq(built.BOND_BPS(), config.bondBps);
        assertEq(built.FEE_BPS(), config.feeBps);
        assertEq(built.ABANDON_BPS(), config.abandonBps);
    }

    function _prediction(IRentalEscrow.Config memory config, uint256 value) private pure returns (bytes memory) {
        if (config.vault == address(0)) return _bad("vault is zero");
        if (config.bondBps > 10_000) return _bad("bondBps is over 10,000");
        if (value != SEED_WEI) return abi.encodeWithSelector(IRaoLedger.RaoLedger_WrongSeed.selector, value, SEED_WEI);
        if (config.arbiter == address(0)) return _bad("arbiter is zero");
        if (config.treasury == address(0)) return _bad("treasury is zero");
        if (config.feeBps > 500) return _bad("feeBps is over 500");
        if (config.keepers == address(0)) return _bad("keepers is zero");
        if (config.settleLagSecs == 0) return _bad("settleLagSecs is zero");
        if (config.settleLagSecs > 7 days) return _bad("settleLagSecs is over 7 days");
        if (config.certificateLifeSecs == 0) return _bad("certificateLifeSecs is zero");
        if (config.certificateLifeSecs > 7 days) return _bad("certificateLifeSecs is over 7 days");
        if (config.abandonBps > 2_000) return _bad("abandonBps is over 2,000");
        return "";
    }
}
