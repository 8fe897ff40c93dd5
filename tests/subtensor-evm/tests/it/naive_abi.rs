//! Interfaces of the naive contracts and of the precompiles, as tests call them.
#![allow(missing_docs)]

alloy_sol_types::sol! {
    #[derive(Debug)]
    interface Naive {
        function deposit() external payable;
        function withdraw() external;
        function withdrawTo(address to, uint256 amount) external;
        function balanceOf(address account) external view returns (uint256);
        function quote(address oracle) external view returns (uint256);
        function create(bytes initcode) external returns (address made);
        function relay(address target, bytes data) external returns (bool ok);
        function count(uint16 netuid, uint16 uids) external view returns (uint256 found);
        function twice(address lock) external returns (bool second);
        function done() external view returns (uint256);
        function enter() external;
        function sizeAndHash(address account) external view returns (uint256 size, bytes32 hash);
        function winner(uint256 players) external view returns (uint256);
        function clock()
            external view returns (uint256 randao, uint256 time, uint256 number, bytes32 last, bytes32 old);
        function signer(bytes32 order, uint8 v, bytes32 r, bytes32 s) external view returns (address);
        function chainIdNow() external view returns (uint256);
        function DOMAIN() external view returns (bytes32);
    }

    interface Hostile {
        function run(address target, bytes data) external payable returns (bool ok);
    }

    interface Dust {
        function run(address vault, uint256 times) external payable;
    }

    interface WriteGauge {
        function write(uint256 value) external returns (uint256 used);
    }

    interface Chain {
        function transfer(bytes32 destination) external payable;
        function verify(bytes32 message, bytes32 key, bytes32 r, bytes32 s) external view returns (bool);
        function getUidCount(uint16 netuid) external view returns (uint16);
        function getHotkey(uint16 netuid, uint16 uid) external view returns (bytes32);
        function getColdkey(uint16 netuid, uint16 uid) external view returns (bytes32);
        function getStake(bytes32 hotkey, bytes32 coldkey, uint256 netuid) external view returns (uint256);
        function addStake(bytes32 hotkey, uint256 amount, uint256 netuid) external payable;
        function removeStake(bytes32 hotkey, uint256 amount, uint256 netuid) external payable;
        function transferStake(bytes32 coldkey, bytes32 hotkey, uint256 fromNet, uint256 toNet, uint256 amount)
            external payable;
        function transferStakeFrom(
            address source, address destination, bytes32 hotkey, uint256 fromNet, uint256 toNet, uint256 amount
        ) external;
        function moveStake(bytes32 from, bytes32 to, uint256 fromNet, uint256 toNet, uint256 amount) external payable;
        function burnAlpha(bytes32 hotkey, uint256 amount, uint256 netuid) external payable;
        function approve(address spender, uint256 netuid, uint256 amount) external;
        function allowance(address owner, address spender, uint256 netuid) external view returns (uint256);
        function uidLookup(uint16 netuid, address evm, uint16 limit) external view returns (Found[] memory);
        function addProxy(bytes32 delegate, uint8 proxyType, uint32 delay) external;
        function proxyCall(bytes32 real, uint8[] forceProxyType, uint8[] call) external;
        function addressMapping(address target) external view returns (bytes32);
        function getVotingPower(uint16 netuid, bytes32 hotkey) external view returns (uint256);
        function getTotalVotingPower(uint16 netuid) external view returns (uint256);
        function isVotingPowerTrackingEnabled(uint16 netuid) external view returns (bool);
        function getVotingPowerDisableAtBlock(uint16 netuid) external view returns (uint64);
    }

    struct Found {
        uint16 uid;
        uint64 block;
    }
}
