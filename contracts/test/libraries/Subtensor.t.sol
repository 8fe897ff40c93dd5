// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { Subtensor } from "../../src/libraries/Subtensor.sol";
import { Base } from "../Base.t.sol";

/// @dev The library as a contract calls it. What is compared is what the caller has left afterwards.
contract Caller {
    function pay(bytes32 accountId) external payable returns (bool) {
        return Subtensor.pay(accountId, msg.value);
    }

    function accountIdOf(address account) external view returns (bytes32) {
        return Subtensor.accountIdOf(account);
    }

    function hotkeyAt(uint16 netuid, uint16 uid) external view returns (bytes32) {
        return Subtensor.hotkeyAt(netuid, uid);
    }

    function associatedAddress(uint16 netuid, bytes8 netuidHash, uint16 uid, bytes8 uidHash)
        external
        view
        returns (address)
    {
        return Subtensor.associatedAddress(netuid, netuidHash, uid, uidHash);
    }

    function ed25519Verifies(bytes32 message, bytes32 key, bytes32 r, bytes32 s) external view returns (bool) {
        return Subtensor.ed25519Verifies(message, key, r, s);
    }
}

contract SubtensorTest is Base {
    /// @dev What a read may cost around its cap: the call to Caller and what is decoded.
    uint256 private constant OVERHEAD = 12_000;
    bytes private constant BURNS_ALL = hex"fe"; // INVALID

    Caller private _caller;

    function setUp() public override {
        super.setUp();
        _caller = new Caller();
        _associate(MINER);
    }

    function _association(bytes8 netuidHash, uint16 uid, bytes8 uidHash) private view returns (address) {
        return _caller.associatedAddress(NETUID, netuidHash, uid, uidHash);
    }

    /// @dev Answers anything with `data`.
    function _answers(address precompile, bytes memory data) private {
        bytes memory code = abi.encodePacked(hex"61", uint16(data.length), hex"80600c6000396000f3", data);
        vm.etch(precompile, code);
    }

    /* 0x802 */

    function test_hotkeyAt_IsTheMetagraphs() external view {
        assertEq(_caller.hotkeyAt(NETUID, 0), HOTKEY);
    }

    function test_hotkeyAt_AnAbsentUidIsNobodyAndCostsTheCapOnly() external view {
        uint256 before = gasleft();
        assertEq(_caller.hotkeyAt(NETUID, 99), 0);
        uint256 used = before - gasleft();
        assertGt(used, 10_000, "the precompile keeps what it was given");
        assertLt(used, 10_000 + OVERHEAD);
    }

    function test_hotkeyAt_ADisabledOrMissingPrecompileIsNobody() external {
        vm.etch(address(0x802), BURNS_ALL);
        assertEq(_caller.hotkeyAt(NETUID, 0), 0);
        vm.etch(address(0x802), "");
        assertEq(_caller.hotkeyAt(NETUID, 0), 0);
    }

    function test_hotkeyAt_AnAnswerOfAnotherLengthIsNobody() external {
        _answers(address(0x802), abi.encodePacked(HOTKEY));
        assertEq(_caller.hotkeyAt(NETUID, 0), HOTKEY);
        _answers(address(0x802), abi.encodePacked(HOTKEY, uint8(0)));
        assertEq(_caller.hotkeyAt(NETUID, 0), 0);
        _answers(address(0x802), new bytes(31));
        assertEq(_caller.hotkeyAt(NETUID, 0), 0);
    }

    /* 0x807 */

    function test_associatedAddress_IsTheFirstTwentyOfTwentyEightBytes() external view {
        assertEq(_association(NETUID_HASH, 0, UID_HASH), MINER);
    }

    function test_associatedAddress_AWrongHashGivesNothing() external view {
        for (uint64 bit = 0; bit < 64; ++bit) {
            bytes8 flip = bytes8(uint64(1) << bit);
            assertEq(_association(NETUID_HASH ^ flip, 0, UID_HASH), address(0));
            assertEq(_association(NETUID_HASH, 0, UID_HASH ^ flip), address(0));
        }
        assertEq(_association(UID_HASH, 0, NETUID_HASH), address(0));
    }

    function test_associatedAddress_AnotherUidOrSubnetGivesNothing() external view {
        assertEq(_association(NETUID_HASH, 1, UID_HASH), address(0));
        assertEq(_caller.associatedAddress(NETUID + 1, NETUID_HASH, 0, UID_HASH), address(0));
    }

    /// @dev The key as the chain stores it: 16 + 16 bytes of prefix, then hash and little-endian id, twice.
    function testFuzz_associatedAddress_AsksForTheChainsKey(uint16 netuid, bytes8 a, uint16 uid, bytes8 b) external {
        bytes memory key = abi.encodePacked(
            hex"658faa385070e074c85bf6b568cf0555", // twox128("SubtensorModule")
            hex"2ee3ea5cc28fb0bcd7e9c900544e35b2", // twox128("AssociatedEvmAddress")
            a,
            netuid % 256 * 256 + netuid / 256,
            b,
            uid % 256 * 256 + uid / 256
        );
        assertEq(key.length, 52);
        STORAGE.setValue(key, abi.encodePacked(STRANGER, hex"ffffffffffffffff"));
        assertEq(_caller.associatedAddress(netuid, a, uid, b), STRANGER);
    }

    function testFuzz_associatedAddress_OnlyTwentyEightBytesAreOne(bytes calldata value) external {
        vm.assume(value.length < 200 && value.length != 28);
        STORAGE.setValue(_associationKey(), value);
        assertEq(_association(NETUID_HASH, 0, UID_HASH), address(0));
    }

    function test_associatedAddress_AFailingPrecompileCostsTheCapOnly() external {
        vm.etch(address(0x807), BURNS_ALL);
        uint256 before = gasleft();
        assertEq(_association(NETUID_HASH, 0, UID_HASH), address(0));
        assertLt(before - gasleft(), 10_000 + OVERHEAD);
        vm.etch(address(0x807), "");
        assertEq(_association(NETUID_HASH, 0, UID_HASH), address(0));
    }

    /* 0x402 */

    function test_ed25519Verifies_OnlyTheWholeStatement() external {
        ED25519.recordVerified(HOTKEY, MACHINE, SIG_R, SIG_S);
        assertTrue(_caller.ed25519Verifies(HOTKEY, MACHINE, SIG_R, SIG_S));
        assertFalse(_caller.ed25519Verifies(MACHINE, MACHINE, SIG_R, SIG_S));
        assertFalse(_caller.ed25519Verifies(HOTKEY, HOTKEY, SIG_R, SIG_S));
        assertFalse(_caller.ed25519Verifies(HOTKEY, MACHINE, SIG_S, SIG_R));
    }

    /// @dev Anybody can name 32 bytes that are no curve point; the real precompile then keeps all it was given.
    function test_ed25519Verifies_AnUndecodableKeyIsFalseAndCostsTheCapOnly() external {
        ED25519.recordVerified(HOTKEY, MACHINE, SIG_R, SIG_S);
        ED25519.recordUndecodable(MACHINE);
        uint256 before = gasleft();
        assertFalse(_caller.ed25519Verifies(HOTKEY, MACHINE, SIG_R, SIG_S));
        uint256 used = before - gasleft();
        assertGt(used, 30_000);
        assertLt(used, 30_000 + OVERHEAD);
    }

    function test_ed25519Verifies_OnlyOneIsTrue() external {
        _answers(address(0x402), abi.encode(1));
        assertTrue(_caller.ed25519Verifies(HOTKEY, MACHINE, SIG_R, SIG_S));
        _answers(address(0x402), abi.encode(2));
        assertFalse(_caller.ed25519Verifies(HOTKEY, MACHINE, SIG_R, SIG_S));
        _answers(address(0x402), abi.encode(0));
        assertFalse(_caller.ed25519Verifies(HOTKEY, MACHINE, SIG_R, SIG_S));
        _answers(address(0x402), abi.encodePacked(abi.encode(1), uint8(0)));
        assertFalse(_caller.ed25519Verifies(HOTKEY, MACHINE, SIG_R, SIG_S));
        vm.etch(address(0x402), "");
        assertFalse(_caller.ed25519Verifies(HOTKEY, MACHINE, SIG_R, SIG_S), "a chain without it verifies nothing");
    }

    /* 0x80c */

    function test_accountIdOf_IsTheChainsMapping() external view {
        // blake2b-256("evm:" ++ address(0)), as recorded from a node (subtensor.md section 4 shows both ends)
        assertEq(uint256(_caller.accountIdOf(address(0))) >> 224, 0xc2cdcf01);
    }

    function test_accountIdOf_AFailingPrecompileIsZeroAndCostsTheCapOnly() external {
        vm.etch(address(0x80c), BURNS_ALL);
        uint256 before = gasleft();
        assertEq(_caller.accountIdOf(MINER), 0);
        assertLt(before - gasleft(), 10_000 + OVERHEAD);
        vm.etch(address(0x80c), "");
        assertEq(_caller.accountIdOf(MINER), 0);
    }

    /* 0x800 */

    function test_pay_MovesTheValueOrSaysThatItDidNot() external {
        assertTrue(_caller.pay{ value: 500 * WEI }(BURN));
        assertEq(TRANSFERS.balanceOf(BURN), 500);
        assertFalse(_caller.pay{ value: 499 * WEI, gas: 1_000_000 }(BURN), "too small for the chain");
        TRANSFERS.setFailing(true);
        assertFalse(_caller.pay{ value: 500 * WEI, gas: 1_000_000 }(BURN));
        assertEq(TRANSFERS.balanceOf(BURN), 500);
        assertEq(address(_caller).balance, 999 * WEI, "what was not paid did not leave");
    }

    function test_pay_FalseWhen_TheContractDoesNotHaveIt() external {
        vm.deal(address(_caller), 0);
        (bool ok,) = address(_caller).call{ value: 0 }(abi.encodeCall(Caller.pay, (BURN)));
        assertTrue(ok, "nothing is nothing");
        assertEq(TRANSFERS.balanceOf(BURN), 0);
    }

    function test_TheConstantsAreTheChains() external pure {
        assertEq(Subtensor.BALANCE_TRANSFER, address(2048));
        assertEq(Subtensor.METAGRAPH, address(2050));
        assertEq(Subtensor.STORAGE_QUERY, address(2055));
        assertEq(Subtensor.ADDRESS_MAPPING, address(2060));
        assertEq(Subtensor.ED25519_VERIFY, address(1026));
        assertEq(Subtensor.BURN_ACCOUNT_ID, bytes32(abi.encodePacked("modlburntnsr", new bytes(20))));
        assertEq(Subtensor.EXISTENTIAL_DEPOSIT_RAO, 500);
    }
}
