// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { stdJson } from "forge-std/StdJson.sol";
import { IStatedBonds } from "../../src/interfaces/IStatedBonds.sol";
import { Eip712 } from "../../src/libraries/Eip712.sol";
import { Rao, Timestamp } from "../../src/types/Units.sol";
import { Base } from "../Base.t.sol";

/// @dev Makes digests as a consumer at its own address does.
contract DigestHarness {
    function certificate(
        bytes32 machine,
        uint32 registration,
        uint16 gpuClass,
        uint16 gpuCount,
        uint32 measuredAt,
        bytes32 evidence
    ) external view returns (bytes32) {
        bytes32 hash = Eip712.certificateHash(
            machine, registration, gpuClass, gpuCount, Timestamp.wrap(measuredAt), evidence
        );
        return keccak256(abi.encodePacked(hex"1901", Eip712.domainSeparator(), hash));
    }

    function attestation(uint8 kind, uint64 rental, uint8 cause, uint32 from, uint32 until, bytes32 evidence)
        external
        view
        returns (bytes32)
    {
        bytes32 hash = Eip712.attestationHash(
            kind, rental, cause, Timestamp.wrap(from), Timestamp.wrap(until), evidence
        );
        return keccak256(abi.encodePacked(hex"1901", Eip712.domainSeparator(), hash));
    }

    function spoof(
        bytes32 machine,
        uint32 registration,
        uint16 gpuClass,
        uint16 gpuCount,
        uint32 provedAt,
        bytes32 evidence
    ) external view returns (bytes32) {
        bytes32 hash = Eip712.spoofHash(machine, registration, gpuClass, gpuCount, Timestamp.wrap(provedAt), evidence);
        return keccak256(abi.encodePacked(hex"1901", Eip712.domainSeparator(), hash));
    }

    function bondStatement(IStatedBonds.BondClaim calldata claim, IStatedBonds.SignedStatement calldata one)
        external
        view
        returns (bytes32)
    {
        bytes32 hash = Eip712.bondStatementHash(claim, one);
        return keccak256(abi.encodePacked(hex"1901", Eip712.domainSeparator(), hash));
    }
}

/// @dev tests/vectors/digests.json is written by Rust (keeper/client/tests/vectors.rs); both must agree with it.
contract VectorsTest is Base {
    using stdJson for string;

    string private json;

    function setUp() public override {
        super.setUp();
        json = vm.readFile("../tests/vectors/digests.json");
        vm.etch(json.readAddress(".escrow"), type(DigestHarness).runtimeCode);
        vm.etch(json.readAddress(".arbiter"), type(DigestHarness).runtimeCode);
        vm.etch(json.readAddress(".vault"), address(vault).code);
    }

    function test_CertificateDigestsAreMadeAlikeInSolidityAndRust() external {
        uint256 count = 6;
        DigestHarness consumer = DigestHarness(json.readAddress(".escrow"));
        for (uint256 i = 0; i < count; ++i) {
            string memory at = string.concat(".certificates[", vm.toString(i), "]");
            vm.chainId(json.readUint(string.concat(at, ".chainId")));
            bytes32 digest = consumer.certificate(
                json.readBytes32(string.concat(at, ".machine")),
                uint32(json.readUint(string.concat(at, ".registration"))),
                uint16(json.readUint(string.concat(at, ".gpuClass"))),
                uint16(json.readUint(string.concat(at, ".gpuCount"))),
                uint32(json.readUint(string.concat(at, ".measuredAt"))),
                json.readBytes32(string.concat(at, ".evidence"))
            );
            assertEq(digest, json.readBytes32(string.concat(at, ".digest")), at);
            _checkSigner(at, digest);
        }
        assertFalse(vm.keyExistsJson(json, string.concat(".certificates[", vm.toString(count), "]")));
    }

    function test_SpoofDigestsAreMadeAlikeInSolidityAndRust() external {
        uint256 count = 6;
        DigestHarness consumer = DigestHarness(json.readAddress(".arbiter"));
        for (uint256 i = 0; i < count; ++i) {
            string memory at = string.concat(".spoofs[", vm.toString(i), "]");
            vm.chainId(json.readUint(string.concat(at, ".chainId")));
            bytes32 digest = consumer.spoof(
                json.readBytes32(string.concat(at, ".machine")),
                uint32(json.readUint(string.concat(at, ".registration"))),
                uint16(json.readUint(string.concat(at, ".gpuClass"))),
                uint16(json.readUint(string.concat(at, ".gpuCount"))),
                uint32(json.readUint(string.concat(at, ".provedAt"))),
                json.readBytes32(string.concat(at, ".evidence"))
            );
            assertEq(digest, json.readBytes32(string.concat(at, ".digest")), at);
            _checkSigner(at, digest);
        }
        assertFalse(vm.keyExistsJson(json, string.concat(".spoofs[", vm.toString(count), "]")));
    }

    function test_AttestationDigestsAreMadeAlikeInSolidityAndRust() external {
        uint256 count = 8;
        DigestHarness consumer = DigestHarness(json.readAddress(".arbiter"));
        for (uint256 i = 0; i < count; ++i) {
            string memory at = string.concat(".attestations[", vm.toString(i), "]");
            vm.chainId(json.readUint(string.concat(at, ".chainId")));
            bytes32 digest = consumer.attestation(
                uint8(json.readUint(string.concat(at, ".kind"))),
                uint64(vm.parseUint(json.readString(string.concat(at, ".rental")))),
                uint8(json.readUint(string.concat(at, ".cause"))),
                uint32(json.readUint(string.concat(at, ".from"))),
                uint32(json.readUint(string.concat(at, ".until"))),
                json.readBytes32(string.concat(at, ".evidence"))
            );
            assertEq(digest, json.readBytes32(string.concat(at, ".digest")), at);
            _checkSigner(at, digest);
        }
        assertFalse(vm.keyExistsJson(json, string.concat(".attestations[", vm.toString(count), "]")));
    }

    function test_BondStatementDigestsAreMadeAlikeInSolidityAndRust() external {
        uint256 count = 6;
        vm.etch(json.readAddress(".vault"), type(DigestHarness).runtimeCode);
        DigestHarness consumer = DigestHarness(json.readAddress(".vault"));
        for (uint256 i = 0; i < count; ++i) {
            string memory at = string.concat(".bondStatements[", vm.toString(i), "]");
            vm.chainId(json.readUint(string.concat(at, ".chainId")));
            bytes32 digest = consumer.bondStatement(_claimAt(at), _statementAt(at));
            assertEq(digest, json.readBytes32(string.concat(at, ".digest")), at);
            _checkSigner(at, digest);
        }
        assertFalse(vm.keyExistsJson(json, string.concat(".bondStatements[", vm.toString(count), "]")));
    }

    function _claimAt(string memory at) private view returns (IStatedBonds.BondClaim memory claim) {
        claim.vault = json.readBytes32(string.concat(at, ".vault"));
        claim.owner = json.readBytes32(string.concat(at, ".owner"));
        claim.machine = json.readBytes32(string.concat(at, ".machine"));
        claim.registration = uint32(json.readUint(string.concat(at, ".registration")));
        claim.rental = uint64(vm.parseUint(json.readString(string.concat(at, ".rental"))));
        claim.over = json.readBool(string.concat(at, ".over"));
    }

    function _statementAt(string memory at) private view returns (IStatedBonds.SignedStatement memory one) {
        one.alpha = uint64(vm.parseUint(json.readString(string.concat(at, ".alpha"))));
        one.value = Rao.wrap(uint64(vm.parseUint(json.readString(string.concat(at, ".value")))));
        one.statedAt = Timestamp.wrap(uint32(json.readUint(string.concat(at, ".statedAt"))));
        one.until = Timestamp.wrap(uint32(json.readUint(string.concat(at, ".until"))));
    }

    function test_RegistrationDigestsAndAccountIdsAreMadeAlikeInSolidityAndRust() external {
        for (uint256 i = 0; i < 4; ++i) {
            string memory at = string.concat(".registrations[", vm.toString(i), "]");
            vm.chainId(json.readUint(string.concat(at, ".chainId")));
            address miner = json.readAddress(string.concat(at, ".miner"));
            (bool ok, bytes memory out) = json.readAddress(".vault")
                .staticcall(
                    abi.encodeCall(
                        vault.registrationDigest,
                        (
                            json.readBytes32(string.concat(at, ".machine")),
                            json.readBytes32(string.concat(at, ".hotkey")),
                            miner
                        )
                    )
                );
            assertTrue(ok);
            assertEq(abi.decode(out, (bytes32)), json.readBytes32(string.concat(at, ".digest")), at);
            bytes32 accountId = json.readBytes32(string.concat(at, ".minerAccountId"));
            assertEq(MAPPING.addressMapping(miner), accountId, at);
        }
    }

    function _checkSigner(string memory at, bytes32 digest) private view {
        bytes32 r = json.readBytes32(string.concat(at, ".r"));
        uint256 vs = uint256(json.readBytes32(string.concat(at, ".vs")));
        // forge-lint: disable-next-line(unsafe-typecast) one bit
        address signer = ecrecover(digest, uint8(vs >> 255) + 27, r, bytes32(vs & (type(uint256).max >> 1)));
        assertEq(signer, json.readAddress(string.concat(at, ".signer")), at);
    }
}
