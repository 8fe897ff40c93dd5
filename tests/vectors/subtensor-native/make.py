"""Wallet files, signatures and timelocked payloads made by Bittensor's own packages. Run by scripts/native-vectors.

Every key here is thrown away: most are of phrases that are printed in documentation.
"""

import json
import shutil
import tempfile
import time
from pathlib import Path

import bittensor_drand as drand
from bittensor_wallet import Keypair, Wallet

HERE = Path(__file__).resolve().parent
DEV_PHRASE = "bottom drive obey lake curtain smoke basket hold race lonely fit walk"
LONG_PHRASE = "abandon " * 23 + "art"
ALICE_SEED = "0xe5be9a5092b81bca64be81d212e7f2f9eba183bb7a90954f7b76361f6edb5c0a"
PASSWORD = "Throwaway-Passw0rd"
MESSAGE = b"surety: signed by bittensor-wallet"
QUIET = dict(use_password=False, overwrite=True, suppress=True)
# Quicknet's signature of round 1000, as drand publishes it.
ROUND = 1000
SIGNATURE = "b44679b9a59af2ec876b1a6b1ad52ea9b1615fc3982b19576350f93447cb1125e342b73a8dd2bacbe47e4b6b63ed5e39"


def wallets(path):
    def wallet(hotkey):
        return Wallet(name="w", hotkey=hotkey, path=path)

    wallet("twelve-words").regenerate_hotkey(mnemonic=DEV_PHRASE, **QUIET)
    wallet("twenty-four-words").regenerate_hotkey(mnemonic=LONG_PHRASE, **QUIET)
    wallet("created").create_new_hotkey(n_words=12, **QUIET)
    wallet("seed").regenerate_hotkey(seed=ALICE_SEED, **QUIET)
    # A seed whose bytes happen to be UTF-8 is written as those characters after 0x.
    wallet("seed-as-characters").regenerate_hotkey(seed="0x" + "11" * 32, **QUIET)
    # Of these two nothing but the expanded key is written.
    wallet("uri").create_hotkey_from_uri("//Alice", **QUIET)
    whole = Keypair.create_from_private_key(
        json.loads(Path(path, "w/hotkeys/twelve-words").read_text())["privateKey"])
    wallet("private-key").set_hotkey(whole, encrypt=False, overwrite=True)
    wallet("ed25519").create_new_hotkey(n_words=12, crypto_type=0, **QUIET)
    wallet("encrypted").create_new_hotkey(
        n_words=12, use_password=True, overwrite=True, suppress=True, hotkey_password=PASSWORD)
    wallet("unused").create_new_coldkey(
        n_words=12, use_password=True, overwrite=True, suppress=True, coldkey_password=PASSWORD)

    at = HERE / "wallets"
    for file in Path(path, "w/hotkeys").iterdir():
        if not file.name.endswith("pub.txt") or file.name == "seedpub.txt":
            shutil.copyfile(file, at / file.name)
    shutil.copyfile(Path(path, "w/coldkeypub.txt"), at / "coldkeypub.txt")
    signed = ["twelve-words", "twenty-four-words", "created", "seed", "uri", "private-key"]
    signatures = {name: wallet(name).hotkey.sign(MESSAGE).hex() for name in signed}
    # The package cannot read this file of its own again.
    signatures["seed-as-characters"] = Keypair.create_from_seed("0x" + "11" * 32).sign(MESSAGE).hex()
    (at / "signatures.json").write_text(
        json.dumps({"message": MESSAGE.decode(), "signatures": signatures}, indent=1) + "\n")


def payload(hotkey, uids, values, version_key):
    def compact(n):
        return bytes([n << 2]) if n < 64 else (n << 2 | 1).to_bytes(2, "little")

    def words(of):
        return compact(len(of)) + b"".join(n.to_bytes(2, "little") for n in of)

    return compact(32) + hotkey + words(uids) + words(values) + version_key.to_bytes(8, "little")


def sealed():
    of = dict(hotkey=bytes(range(32)), uids=[0, 1, 255], values=[65535, 1, 300], version_key=7)
    plain = payload(**of)
    wrapped, at = drand.encrypt_at_round(plain, ROUND)
    assert drand.decrypt_with_signature(wrapped, SIGNATURE) == plain and at == ROUND
    # Wrapped is a SCALE struct of the ciphertext (here its length takes two bytes) and the round.
    ciphertext = wrapped[2:-8]
    assert int.from_bytes(wrapped[:2], "little") >> 2 == len(ciphertext)
    ours = bytes.fromhex((HERE / "sealed-by-us.hex").read_text())
    wrapped = (len(ours) << 2 | 1).to_bytes(2, "little") + ours + ROUND.to_bytes(8, "little")
    assert drand.decrypt_with_signature(wrapped, SIGNATURE) == plain
    return {**of, "hotkey": of["hotkey"].hex(), "payload": plain.hex(), "round": ROUND, "ciphertext": ciphertext.hex()}


def reveal_block(last_epoch, pending, tempo, head, reveal_period):
    """The package says only a drand round by the clock: with 1,000 rounds a block, the blocks can be read off it."""
    now = (int(time.time()) - 1692803367) // 3
    _, at = drand.get_encrypted_commit_v2(
        [0], [1], 0, last_epoch, pending, 5, tempo, head - last_epoch, head, reveal_period, 3000.0, bytes(32))
    # Three blocks more are its own margin.
    return head + (at - now + 500) // 1000 - 3


def schedules():
    cases = []
    for tempo in (1, 2, 10, 99, 360):
        for since in sorted({0, 1, tempo // 2, max(tempo - 2, 0), tempo - 1}):
            for reveal_period in (1, 2, 5):
                for pending in (0, 1000 + since + 1, 1000 + since + 3, 1000 + tempo + 40):
                    head = 1000 + since
                    block = reveal_block(1000, pending, tempo, head, reveal_period)
                    cases.append([1000, pending, tempo, head, reveal_period, block])
    return cases


with tempfile.TemporaryDirectory() as folder:
    wallets(folder)
columns = ["last_epoch_block", "pending_epoch_at", "tempo", "head", "reveal_period", "first_block"]
rows = ",\n  ".join(json.dumps(row) for row in schedules())
head = json.dumps({"sealed": sealed(), "columns": columns}, indent=1)[:-2]
(HERE / "timelock.json").write_text(f'{head},\n "schedules": [\n  {rows}\n ]\n}}\n')
