"""The same look with asyncssh: connect, check the host key's type, offer a public key, leave.

asyncssh_look.py PORT LOOKS: prints the CPU time of one look in microseconds. 32 run at once, imports are not counted.
"""
import asyncio
import resource
import sys

import asyncssh


async def look(n: int, port: int, key: asyncssh.SSHKey) -> None:
    host = f"127.200.{n // 250}.{n % 250 + 1}"
    options = {"known_hosts": None, "server_host_key_algs": ["ssh-ed25519"], "client_keys": [key], "username": "tenant"}
    async with asyncssh.connect(host, port, config=None, agent_path=None, **options):
        pass


async def main(port: int, looks: int) -> None:
    key = asyncssh.generate_private_key("ssh-ed25519")
    await look(looks, port, key)
    places = asyncio.Semaphore(32)

    async def one(n: int) -> None:
        async with places:
            await look(n, port, key)

    before = resource.getrusage(resource.RUSAGE_SELF)
    await asyncio.gather(*(one(n) for n in range(looks)))
    after = resource.getrusage(resource.RUSAGE_SELF)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(spent / looks * 1e6)


asyncio.run(main(int(sys.argv[1]), int(sys.argv[2])))
