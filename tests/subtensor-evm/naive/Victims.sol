// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

// Contracts as they are written for Ethereum. Each is sound there, and loses money or time on Subtensor.
// None of this is part of what Surety deploys.

/// @notice Pays by calling the payee (D1): sound on Ethereum, checks-effects-interactions and all.
contract PushVault {
    mapping(address account => uint256) public balanceOf;

    function deposit() external payable {
        balanceOf[msg.sender] += msg.value;
    }

    function withdraw() external {
        uint256 amount = balanceOf[msg.sender];
        balanceOf[msg.sender] = 0;
        (bool ok,) = msg.sender.call{ value: amount }("");
        require(ok, "payment failed");
    }
}

interface IPrice {
    function price() external view returns (uint256);
}

/// @notice Asks a price of whoever is named, read-only (D1).
contract OracleVault {
    function deposit() external payable { }

    function quote(IPrice oracle) external view returns (uint256) {
        return oracle.price();
    }
}

/// @notice Creates what users bring (D1).
contract Factory {
    function deposit() external payable { }

    function create(bytes calldata initcode) external returns (address made) {
        bytes memory code = initcode;
        assembly ("memory-safe") {
            made := create(0, add(code, 32), mload(code))
        }
    }
}

/// @notice Makes a call of the user's choice, without value (D2): on Ethereum a relay for whoever needs one.
contract Relay {
    function deposit() external payable { }

    function relay(address target, bytes calldata data) external returns (bool ok) {
        (ok,) = target.call(data);
    }
}

/// @notice Credits msg.value (D3).
contract WeiVault {
    mapping(address account => uint256) public balanceOf;

    function deposit() external payable {
        balanceOf[msg.sender] += msg.value;
    }

    function withdrawTo(address payable to, uint256 amount) external {
        balanceOf[msg.sender] -= amount;
        (bool ok,) = to.call{ value: amount }("");
        require(ok, "payment failed");
    }
}

/// @notice Checks its own balance before it pays, as the well-known libraries do (D4).
contract BalanceVault {
    mapping(address account => uint256) public balanceOf;

    function deposit() external payable {
        balanceOf[msg.sender] += msg.value;
    }

    function withdraw() external {
        uint256 amount = balanceOf[msg.sender];
        require(address(this).balance >= amount, "insufficient balance");
        balanceOf[msg.sender] = 0;
        (bool ok,) = msg.sender.call{ value: amount }("");
        require(ok, "payment failed");
    }
}

interface IMetagraph {
    function getHotkey(uint16 netuid, uint16 uid) external view returns (bytes32);
}

/// @notice Counts hotkeys, prepared for one that is missing (D5).
contract Roster {
    function count(uint16 netuid, uint16 uids) external view returns (uint256 found) {
        for (uint16 uid = 0; uid < uids; ++uid) {
            try IMetagraph(address(0x802)).getHotkey(netuid, uid) returns (bytes32) {
                ++found;
            } catch { }
        }
    }
}

/// @notice Guards itself with a transient lock (D6).
contract TransientLock {
    uint256 public done;

    modifier locked() {
        assembly ("memory-safe") {
            if tload(0) { revert(0, 0) }
            tstore(0, 1)
        }
        _;
        assembly ("memory-safe") {
            tstore(0, 0)
        }
    }

    function work(bool fail) external locked {
        require(!fail, "failed");
        ++done;
    }
}

/// @notice Tries, and tries again (D6).
contract Retrier {
    function twice(TransientLock lock) external returns (bool second) {
        try lock.work(true) { } catch { }
        try lock.work(false) {
            second = true;
        } catch { }
    }
}

/// @notice Keeps its books by events and by receive() (D7, D8).
contract EventPurse {
    mapping(address account => uint256) public balanceOf;

    event Deposited(address indexed account, uint256 amount);

    receive() external payable {
        balanceOf[msg.sender] += msg.value;
        emit Deposited(msg.sender, msg.value);
    }
}

/// @notice Knows what is a contract by its code (D15, D17).
contract EoaGate {
    uint256 public entered;

    function enter() external {
        require(msg.sender.code.length == 0, "contracts keep out");
        ++entered;
    }

    function sizeAndHash(address account) external view returns (uint256, bytes32) {
        return (account.code.length, account.codehash);
    }
}

/// @notice Draws lots (D16).
contract Lottery {
    function winner(uint256 players) external view returns (uint256) {
        return uint256(keccak256(abi.encode(block.prevrandao))) % players;
    }

    function clock() external view returns (uint256, uint256, uint256, bytes32, bytes32) {
        bytes32 old = block.number > 300 ? blockhash(block.number - 300) : bytes32(0);
        return (block.prevrandao, block.timestamp, block.number, blockhash(block.number - 1), old);
    }
}

/// @notice Takes signed orders, for the chain it was deployed on (D18).
contract CachedDomain {
    bytes32 public immutable DOMAIN;

    constructor() {
        DOMAIN = keccak256(abi.encode(block.chainid, address(this)));
    }

    function signer(bytes32 order, uint8 v, bytes32 r, bytes32 s) external view returns (address) {
        return ecrecover(keccak256(abi.encode(DOMAIN, order)), v, r, s);
    }

    function chainIdNow() external view returns (uint256) {
        return block.chainid;
    }
}
