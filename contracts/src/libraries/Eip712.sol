// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { IStatedBonds } from "../interfaces/IStatedBonds.sol";
import { Timestamp } from "../types/Units.sol";

/// @title What keepers sign, and who signed it
/// @dev The verifying contract is always the consumer (this library is inlined there), and the chain id is read at
/// each call, because root can change it (SPEC D18). No ERC-1271: asking a contract would run foreign code (SPEC D1).
library Eip712 {
    bytes32 private constant DOMAIN_TYPEHASH =
        keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
    bytes32 private constant NAME_HASH = keccak256("Surety");
    bytes32 private constant VERSION_HASH = keccak256("1");
    bytes32 private constant CERTIFICATE_TYPEHASH = keccak256(
        "Certificate(bytes32 machine,uint32 registration,uint16 gpuClass,uint16 gpuCount,uint32 measuredAt,bytes32 evidence)"
    );
    bytes32 private constant ATTESTATION_TYPEHASH =
        keccak256("Attestation(uint8 kind,uint64 rental,uint8 cause,uint32 from,uint32 until,bytes32 evidence)");
    bytes32 private constant SPOOF_TYPEHASH = keccak256(
        "Spoof(bytes32 machine,uint32 registration,uint16 gpuClass,uint16 gpuCount,uint32 provedAt,bytes32 evidence)"
    );
    bytes32 private constant BOND_STATEMENT_TYPEHASH = keccak256(
        "BondStatement(bytes32 vault,bytes32 owner,bytes32 machine,uint32 registration,uint64 rental,bool over,uint64 alpha,uint64 value,uint32 statedAt,uint32 until)"
    );

    /// @dev Half the order of secp256k1: of the two valid s for a message only the lower one is accepted.
    uint256 private constant HALF_ORDER = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0;

    error Eip712_BadSignature(bytes32 digest);

    function domainSeparator() internal view returns (bytes32) {
        return keccak256(abi.encode(DOMAIN_TYPEHASH, NAME_HASH, VERSION_HASH, block.chainid, address(this)));
    }

    function certificateHash(
        bytes32 machine,
        uint32 registration,
        uint16 gpuClass,
        uint16 gpuCount,
        Timestamp measuredAt,
        bytes32 evidence
    ) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(CERTIFICATE_TYPEHASH, machine, registration, gpuClass, gpuCount, measuredAt, evidence)
        );
    }

    function attestationHash(uint8 kind, uint64 rental, uint8 cause, Timestamp from, Timestamp until, bytes32 evidence)
        internal
        pure
        returns (bytes32)
    {
        return keccak256(abi.encode(ATTESTATION_TYPEHASH, kind, rental, cause, from, until, evidence));
    }

    function spoofHash(
        bytes32 machine,
        uint32 registration,
        uint16 gpuClass,
        uint16 gpuCount,
        Timestamp provedAt,
        bytes32 evidence
    ) internal pure returns (bytes32) {
        return keccak256(abi.encode(SPOOF_TYPEHASH, machine, registration, gpuClass, gpuCount, provedAt, evidence));
    }

    /// @dev The claim's fields, then the signer's own, in the order of the type string.
    function bondStatementHash(IStatedBonds.BondClaim calldata claim, IStatedBonds.SignedStatement calldata one)
        internal
        pure
        returns (bytes32)
    {
        return keccak256(abi.encode(BOND_STATEMENT_TYPEHASH, claim, one.alpha, one.value, one.statedAt, one.until));
    }

    /// @dev The signer of `structHash` under `separator`, from an EIP-2098 compact signature. Reverts rather than
    /// return zero.
    function recover(bytes32 separator, bytes32 structHash, bytes32 r, bytes32 vs) internal pure returns (address) {
        bytes32 digest = keccak256(abi.encodePacked(hex"1901", separator, structHash));
        uint256 s = uint256(vs) & type(uint256).max >> 1;
        require(s <= HALF_ORDER, Eip712_BadSignature(digest));
        // forge-lint: disable-next-line(unsafe-typecast) one bit
        uint8 v = uint8(uint256(vs) >> 255) + 27;
        address signer = ecrecover(digest, v, r, bytes32(s));
        require(signer != address(0), Eip712_BadSignature(digest));
        return signer;
    }
}
