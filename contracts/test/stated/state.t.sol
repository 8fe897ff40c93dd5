// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { IKeeperSet } from "../../src/interfaces/IKeeperSet.sol";
import { IStatedBonds } from "../../src/interfaces/IStatedBonds.sol";
import { Rao, Timestamp } from "../../src/types/Units.sol";
import { StatedBase } from "./StatedBase.t.sol";

contract StateTest is StatedBase {
    function setUp() public override {
        super.setUp();
        _register(MACHINE);
    }

    function test_RevertWhen_TheMachineHasNoRegistration() external {
        IStatedBonds.BondClaim memory claim = _claim(0, true);
        claim.machine = keccak256("nobody's");
        claim.registration = 0;
        _expectNotCurrent(claim.machine, 0, 0);
        _state(claim, _word());
    }

    function test_RevertWhen_TheRegistrationIsNotTheMachinesOwn() external {
        IStatedBonds.BondClaim memory claim = _claim(0, true);
        claim.registration = 2;
        _expectNotCurrent(MACHINE, 2, 1);
        _state(claim, _word());
    }

    function test_RevertGiven_TheNodeIsRetired() external {
        vm.prank(MINER);
        vault.retire(MACHINE);
        _expectNotCurrent(MACHINE, 1, 0);
        _state(_claim(0, true), _word());
    }

    function test_RevertWhen_NothingIsStated() external {
        for (uint256 i = 0; i < 4; ++i) {
            IStatedBonds.BondClaim memory claim = _claim(0, true);
            IStatedBonds.SignedStatement memory word = _word();
            if (i == 0) claim.vault = 0;
            if (i == 1) claim.owner = 0;
            if (i == 2) word.alpha = 0;
            if (i == 3) word.value = Rao.wrap(0);
            IStatedBonds.SignedStatement[] memory all = _said(claim, word, 3);
            vm.expectRevert(IStatedBonds.StatedBonds_Nothing.selector);
            vault.state(claim, all);
        }
    }

    function test_WhenTheLeastIsStated() external {
        IStatedBonds.SignedStatement memory word = _word();
        (word.alpha, word.value) = (1, Rao.wrap(1));
        assertEq(_state(_claim(0, true), word), 1);
        assertEq(_rao(vault.statementAt(1).value), 1);
    }

    function test_RevertWhen_OneIsDatedAfterNow() external {
        IStatedBonds.SignedStatement[] memory all = _said(_claim(0, true), _word(), 3);
        IStatedBonds.SignedStatement memory word = _word();
        word.statedAt = Timestamp.wrap(_now() + 1);
        all[1] = _signed(keeperKeys[1], _claim(0, true), word);
        bytes4 selector = IStatedBonds.StatedBonds_OfTheFuture.selector;
        vm.expectRevert(abi.encodeWithSelector(selector, 1, _now() + 1));
        vault.state(_claim(0, true), all);
    }

    function test_RevertWhen_OneIsOlderThanItsLife() external {
        IStatedBonds.SignedStatement[] memory all = _said(_claim(0, true), _word(), 3);
        skip(STATEMENT_LIFE);
        IStatedBonds.SignedStatement[] memory later = _said(_claim(0, true), _word(), 3);
        later[0] = all[0];
        uint256 snapshot = vm.snapshotState();
        vault.state(_claim(0, true), later);
        vm.revertToState(snapshot);
        skip(1);
        bytes4 selector = IStatedBonds.StatedBonds_Stale.selector;
        vm.expectRevert(abi.encodeWithSelector(selector, _now() - STATEMENT_LIFE - 1, _now() - STATEMENT_LIFE));
        vault.state(_claim(0, true), later);
    }

    function test_RevertWhen_ItIsNotNewerThanTheLast() external {
        _state(_claim(0, true), _word());
        IStatedBonds.SignedStatement[] memory all = _said(_claim(0, true), _word(), 3);
        vm.expectRevert(abi.encodeWithSelector(IStatedBonds.StatedBonds_NotNewer.selector, _now(), _now()));
        vault.state(_claim(0, true), all);
    }

    function test_RevertWhen_TheSignersAreNoQuorum() external {
        IStatedBonds.SignedStatement[] memory one = _said(_claim(0, true), _word(), 1);
        vm.expectRevert(abi.encodeWithSelector(IStatedBonds.StatedBonds_NoQuorum.selector, 1));
        vault.state(_claim(0, true), one);
        vm.expectRevert(abi.encodeWithSelector(IStatedBonds.StatedBonds_NoQuorum.selector, 0));
        vault.state(_claim(0, true), new IStatedBonds.SignedStatement[](0));
    }

    function test_RevertWhen_AKeeperSignsTwice() external {
        IStatedBonds.SignedStatement[] memory all = _said(_claim(0, true), _word(), 3);
        all[1] = all[0];
        vm.expectPartialRevert(IKeeperSet.KeeperSet_SignersNotAscending.selector);
        vault.state(_claim(0, true), all);
    }

    /// @dev Each field of the claim and of the word, changed after signing.
    function testFuzz_RevertWhen_AnythingWasChangedAfterSigning(uint256 field, bytes32 other) external {
        (IStatedBonds.BondClaim memory claim, IStatedBonds.SignedStatement memory word) = (_claim(0, true), _word());
        IStatedBonds.SignedStatement[] memory all = _said(claim, word, 3);
        field = field % 8;
        other = bytes32(bound(uint256(other), 1, type(uint64).max / 2));
        if (field == 0) claim.vault = other;
        if (field == 1) claim.owner = other;
        if (field == 2) claim.rental = uint64(uint256(other));
        if (field == 3) claim.over = false;
        for (uint256 i = 0; i < 3; ++i) {
            if (field == 4) all[i].alpha = ALPHA + uint64(uint256(other));
            if (field == 5) all[i].value = Rao.wrap(VALUE + uint64(uint256(other)));
            if (field == 6) all[i].statedAt = Timestamp.wrap(_now() - 1);
            if (field == 7) all[i].until = Timestamp.wrap(_now() + 15 days);
        }
        vm.expectRevert();
        vault.state(claim, all);
    }

    function test_WhenItIsSignedForAnotherContractOrChain() external {
        IStatedBonds.SignedStatement[] memory all = _said(_claim(0, true), _word(), 3);
        vm.chainId(31_338);
        vm.expectRevert();
        vault.state(_claim(0, true), all);
    }

    function test_WhenTheSignersDiffer() external {
        IStatedBonds.BondClaim memory claim = _claim(0, true);
        IStatedBonds.SignedStatement[] memory all = new IStatedBonds.SignedStatement[](3);
        for (uint32 i = 0; i < 3; ++i) {
            IStatedBonds.SignedStatement memory word = _word();
            word.alpha = ALPHA + (i == 0 ? 0 : 7);
            word.value = Rao.wrap(VALUE + (i == 1 ? 0 : 7));
            word.statedAt = Timestamp.wrap(_now() - i);
            word.until = Timestamp.wrap(_now() + 14 days - (i == 1 ? 5 : 0));
            all[i] = _signed(keeperKeys[i], claim, word);
        }
        vault.state(claim, all);
        IStatedBonds.Statement memory s = vault.statementAt(1);
        assertEq(s.alpha, ALPHA);
        assertEq(_rao(s.value), VALUE);
        assertEq(Timestamp.unwrap(s.statedAt), _now() - 2);
        assertEq(Timestamp.unwrap(s.until), _now() + 14 days - 5);
    }

    function test_WhenAQuorumStatesIt() external {
        vm.expectEmit(address(vault));
        Timestamp until = Timestamp.wrap(_now() + 14 days);
        emit IStatedBonds.BondStated(1, 1, FAR_VAULT, COLDKEY, ALPHA, Rao.wrap(VALUE), until);
        assertEq(_state(_claim(0, true), _word()), 1);
        IStatedBonds.Statement memory s = vault.statementAt(1);
        assertEq(s.vault, FAR_VAULT);
        assertEq(s.owner, COLDKEY);
        assertEq(s.registration, 1);
        assertEq(s.rental, 0);
        assertTrue(s.over);
        assertEq(vault.statementOf(1), 1);
        assertEq(vault.statementCount(), 1);
        assertEq(_rao(vault.liabilities()), 0);
    }

    function test_WhenALaterOneIsStated() external {
        _state(_claim(0, true), _word());
        skip(1);
        IStatedBonds.SignedStatement memory word = _word();
        word.alpha = 1;
        assertEq(_state(_claim(0, true), word), 2);
        assertEq(vault.statementOf(1), 2);
        assertEq(vault.statementAt(1).alpha, ALPHA);
        assertEq(vault.statementAt(2).alpha, 1);
    }

    /* INTERNALS */

    function _expectNotCurrent(bytes32 machine, uint32 registration, uint32 current) private {
        bytes4 selector = IStatedBonds.StatedBonds_NotCurrent.selector;
        vm.expectRevert(abi.encodeWithSelector(selector, machine, registration, current));
    }
}
