"""Compiles surety.cu to PTX with NVRTC, and has ptxas assemble it. No card and no driver is needed.

    compile.py write    writes surety.sm_80.ptx and surety.sm_61.ptx
    compile.py check    fails unless those are what the source gives, and ptxas accepts them for every card there is

NVRTC 12.0 is used because the PTX it writes (version 8.0) is taken by drivers from 525 on. Run by scripts/ptx, in an
environment that has the wheels of tools.txt.
"""

import ctypes
import hashlib
import pathlib
import subprocess
import sys
import sysconfig

HERE = pathlib.Path(__file__).parent
SOURCE, HEADER = HERE / "surety.cu", HERE / "platform.h"
# Which PTX serves which cards.
CARDS = {"80": ["80", "86", "89", "90", "100", "120"], "61": ["61", "70", "75"]}
NVIDIA = pathlib.Path(sysconfig.get_path("purelib")) / "nvidia"


def call(library, name, *arguments):
    if (result := getattr(library, name)(*arguments)) != 0:
        raise SystemExit(f"{name} failed with {result}: {log(library, arguments[0])}")


def text(library, program, size_of, read):
    size = ctypes.c_size_t()
    getattr(library, size_of)(program, ctypes.byref(size))
    buffer = ctypes.create_string_buffer(size.value)
    getattr(library, read)(program, buffer)
    return buffer.value


def log(library, program):
    if not isinstance(program, ctypes.c_void_p):
        return ""
    return text(library, program, "nvrtcGetProgramLogSize", "nvrtcGetProgramLog").decode()


def compile_for(library, architecture):
    program = ctypes.c_void_p()
    contents = (ctypes.c_char_p * 1)(HEADER.read_bytes())
    names = (ctypes.c_char_p * 1)(HEADER.name.encode())
    source = SOURCE.read_bytes()
    call(library, "nvrtcCreateProgram", ctypes.byref(program), source, SOURCE.name.encode(), 1, contents, names)
    options = (ctypes.c_char_p * 1)(f"--gpu-architecture=compute_{architecture}".encode())
    call(library, "nvrtcCompileProgram", program, 1, options)
    return text(library, program, "nvrtcGetPTXSize", "nvrtcGetPTX")


def whole(ptx):
    """The PTX behind a line that says of what: a test without these tools notices when the source has changed."""
    of = hashlib.sha256(SOURCE.read_bytes() + HEADER.read_bytes()).hexdigest()
    return f"// sha256 of surety.cu and platform.h: {of}\n".encode() + ptx.strip() + b"\n"


def accepted(path, card):
    ptxas = NVIDIA / "cuda_nvcc/bin/ptxas"
    done = subprocess.run([ptxas, f"-arch=sm_{card}", "-v", path, "-o", "/dev/null"], capture_output=True, text=True)
    spills = [line for line in done.stderr.splitlines() if "spill" in line and " 0 bytes spill stores" not in line]
    if done.returncode != 0 or spills:
        raise SystemExit(f"ptxas for sm_{card}: {done.stderr if done.returncode else spills}")
    print(f"{path.name}: assembled for sm_{card}, nothing spilled")


def main(what):
    library = ctypes.CDLL(str(NVIDIA / "cuda_nvrtc/lib/libnvrtc.so.12"))
    for architecture, cards in CARDS.items():
        path, fresh = HERE / f"surety.sm_{architecture}.ptx", whole(compile_for(library, architecture))
        if what == "write":
            path.write_bytes(fresh)
        elif path.read_bytes() != fresh:
            raise SystemExit(f"{path.name} is not what the source gives: run scripts/ptx")
        for card in cards:
            accepted(path, card)


if __name__ == "__main__":
    if sys.argv[1:] not in (["write"], ["check"]):
        raise SystemExit(__doc__)
    main(sys.argv[1])
