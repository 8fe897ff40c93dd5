// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { Test } from "forge-std/Test.sol";
import { Eip712 } from "../../src/libraries/Eip712.sol";
import { Timestamp } from "../../src/types/Units.sol";

/// @dev A contract that verifies: the library is inlined, so this is the verifying contract.
contract Consumer {
    function separator() external view returns (bytes32) {
        return Eip712.domainSeparator();
    }

    function signerOf(bytes32 structHash, bytes32 r, bytes32 vs) external view returns (address) {
        return Eip712.recover(Eip712.domainSeparator(), structHash, r, vs);
    }
}

contract Eip712Test is Test {
    uint256 private constant ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141;
    uint256 private constant KEY = 0xA11CE;
    bytes32 private constant HASH = keccak256("what is said");

    struct Domain {
        string name;
        string version;
        uint256 chainId;
        address verifyingContract;
    }

    Consumer private _consumer;

    function setUp() external {
        _consumer = new Consumer();
    }

    function _digest(bytes32 structHash) private view returns (bytes32) {
        return keccak256(abi.encodePacked(hex"1901", _consumer.separator(), structHash));
    }

    function _sign(uint256 key, bytes32 structHash) private view returns (bytes32 r, bytes32 vs) {
        (uint8 v, bytes32 r_, bytes32 s) = vm.sign(key, _digest(structHash));
        return (r_, bytes32((uint256(v - 27) << 255) | uint256(s)));
    }

    function _expectBad(bytes32 structHash) private {
        vm.expectRevert(abi.encodeWithSelector(Eip712.Eip712_BadSignature.selector, _digest(structHash)));
    }

    /* WHAT IS SIGNED, against the test tool's own implementation */

    function test_TheDomainIsSuretyOneThisChainThisContract() external view {
        bytes32 expected = vm.eip712HashStruct(
            "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)",
            abi.encode(Domain("Surety", "1", block.chainid, address(_consumer)))
        );
        assertEq(_consumer.separator(), expected);
    }

    function testFuzz_certificateHash(bytes32 a, uint32 b, uint16 c, uint16 d, uint32 e, bytes32 f) external pure {
        bytes32 expected = vm.eip712HashStruct(
            "Certificate(bytes32 machine,uint32 registration,uint16 gpuClass,uint16 gpuCount,"
            "uint32 measuredAt,bytes32 evidence)",
            abi.encode(a, b, c, d, e, f)
        );
        assertEq(Eip712.certificateHash(a, b, c, d, Timestamp.wrap(e), f), expected);
    }

    function testFuzz_attestationHash(uint8 a, uint64 b, uint8 c, uint32 d, uint32 e, bytes32 f) external pure {
        bytes32 expected = vm.eip712HashStruct(
            "Attestation(uint8 kind,uint64 rental,uint8 cause,uint32 from,uint32 until,bytes32 evidence)",
            abi.encode(a, b, c, d, e, f)
        );
        assertEq(Eip712.attestationHash(a, b, c, Timestamp.wrap(d), Timestamp.wrap(e), f), expected);
    }

    function testFuzz_spoofHash(bytes32 a, uint32 b, uint16 c, uint16 d, uint32 e, bytes32 f) external pure {
        bytes32 expected = vm.eip712HashStruct(
            "Spoof(bytes32 machine,uint32 registration,uint16 gpuClass,uint16 gpuCount,"
            "uint32 provedAt,bytes32 evidence)",
            abi.encode(a, b, c, d, e, f)
        );
        assertEq(Eip712.spoofHash(a, b, c, d, Timestamp.wrap(e), f), expected);
    }

    /// @dev A certificate can never be read as a statement of spoofing, although the fields have the same types.
    function testFuzz_ACertificateIsNoSpoof(bytes32 a, uint32 b, uint16 c, uint16 d, uint32 e, bytes32 f)
        external
        pure
    {
        Timestamp t = Timestamp.wrap(e);
        assertNotEq(Eip712.certificateHash(a, b, c, d, t, f), Eip712.spoofHash(a, b, c, d, t, f));
    }

    /* WHO SIGNED */

    function testFuzz_recover_FindsTheSigner(uint256 key, bytes32 structHash) external view {
        key = bound(key, 1, ORDER - 1);
        (bytes32 r, bytes32 vs) = _sign(key, structHash);
        assertEq(_consumer.signerOf(structHash, r, vs), vm.addr(key));
    }

    function test_recover_TheOtherOfTwoValidSignaturesIsNotTheSigners() external view {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(KEY, _digest(HASH));
        uint256 high = ORDER - uint256(s);
        uint8 otherV = v == 27 ? 28 : 27;
        assertEq(ecrecover(_digest(HASH), otherV, r, bytes32(high)), vm.addr(KEY), "malleable by itself");
        uint256 low255 = high & (type(uint256).max >> 1); // in the compact form a high s does not even fit whole
        assertNotEq(_signerOrNobody(_consumer, r, bytes32(high)), vm.addr(KEY));
        assertNotEq(_signerOrNobody(_consumer, r, bytes32((uint256(otherV - 27) << 255) | low255)), vm.addr(KEY));
    }

    function test_recover_RevertWhen_SIsOverHalfTheOrder() external {
        uint256 half = ORDER / 2;
        (bytes32 r,) = _sign(KEY, HASH);
        _expectBad(HASH);
        _consumer.signerOf(HASH, r, bytes32(half + 1));
        _expectBad(HASH);
        _consumer.signerOf(HASH, r, bytes32(type(uint256).max >> 1));
    }

    function test_recover_TakesSUpToHalfTheOrder() external view {
        (bytes32 r,) = _sign(KEY, HASH);
        assertNotEq(_consumer.signerOf(HASH, r, bytes32(ORDER / 2)), address(0), "somebody's, nobody we know");
    }

    function test_recover_RevertWhen_ThereIsNoSigner() external {
        (bytes32 r, bytes32 vs) = _sign(KEY, HASH);
        _expectBad(HASH);
        _consumer.signerOf(HASH, 0, vs);
        _expectBad(HASH);
        _consumer.signerOf(HASH, r, 0);
        _expectBad(HASH);
        _consumer.signerOf(HASH, bytes32(ORDER), vs);
        _expectBad(HASH);
        _consumer.signerOf(HASH, 0, 0);
    }

    function testFuzz_recover_NeverAnswersZero(bytes32 structHash, bytes32 r, bytes32 vs) external view {
        try _consumer.signerOf(structHash, r, vs) returns (address signer) {
            assertNotEq(signer, address(0));
        } catch (bytes memory reason) {
            assertEq(reason, abi.encodeWithSelector(Eip712.Eip712_BadSignature.selector, _digest(structHash)));
        }
    }

    /// @dev Each bit of what is signed and of the signature counts: whoever changes one is somebody else.
    function testFuzz_recover_AChangedBitIsNotTheSigner(bytes32 structHash, uint256 which, uint8 bit) external view {
        (bytes32 r, bytes32 vs) = _sign(KEY, structHash);
        bytes32 flip = bytes32(uint256(1) << bit);
        if (which % 3 == 0) structHash ^= flip;
        if (which % 3 == 1) r ^= flip;
        if (which % 3 == 2) vs ^= flip;
        try _consumer.signerOf(structHash, r, vs) returns (address signer) {
            assertNotEq(signer, vm.addr(KEY));
        } catch { }
    }

    /* WHERE */

    /// @dev D18: root can change the chain id at any time, so it is read at each call.
    function test_ASignatureDoesNotCountOnAnotherChain() external {
        (bytes32 r, bytes32 vs) = _sign(KEY, HASH);
        vm.chainId(964);
        assertNotEq(_signerOrNobody(_consumer, r, vs), vm.addr(KEY));
        (bytes32 newR, bytes32 newVs) = _sign(KEY, HASH);
        assertEq(_consumer.signerOf(HASH, newR, newVs), vm.addr(KEY), "signed for the new id it counts");
        vm.chainId(31_337);
        assertEq(_consumer.signerOf(HASH, r, vs), vm.addr(KEY));
        assertNotEq(_signerOrNobody(_consumer, newR, newVs), vm.addr(KEY));
    }

    function test_ASignatureDoesNotCountForAnotherConsumer() external {
        (bytes32 r, bytes32 vs) = _sign(KEY, HASH);
        Consumer other = new Consumer();
        assertNotEq(other.separator(), _consumer.separator());
        assertNotEq(_signerOrNobody(other, r, vs), vm.addr(KEY));
    }

    function _signerOrNobody(Consumer consumer, bytes32 r, bytes32 vs) private view returns (address) {
        try consumer.signerOf(HASH, r, vs) returns (address signer) {
            return signer;
        } catch {
            return address(0);
        }
    }
}
