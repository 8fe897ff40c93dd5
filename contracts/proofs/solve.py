#!/usr/bin/env python3
"""The solver of the proofs: `solve.py FILE.smt2` answers sat (with a model), unsat or unknown.

Yices decides nearly all queries in milliseconds, by bits. Products and quotients of two unknowns are hopeless that way
at 256 bits; cvc5, reading bit-vectors as integers, decides most of those at once. So Yices gets a head start, then both
run, and the first to answer is believed.
"""

import os
import signal
import subprocess
import sys
import time

HEAD_START_SECONDS = 0.3
POLL_SECONDS = 0.02


def cvc5_main(path):
    import cvc5

    manager = cvc5.TermManager()
    solver = cvc5.Solver(manager)
    solver.setOption("produce-models", "true")
    solver.setOption("solve-bv-as-int", "sum")
    parser = cvc5.InputParser(solver)
    parser.setFileInput(cvc5.InputLanguage.SMT_LIB_2_6, path)
    while not (command := parser.nextCommand()).isNull():
        sys.stdout.write(command.invoke(solver, parser.getSymbolManager()))
        sys.stdout.flush()


def start(command):
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)


def first_answer(path):
    yices = os.path.join(os.path.dirname(sys.executable), "yices-smt2")
    running = [start([yices, "--smt2-model-format", path])]
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    try:
        give_second_at = time.monotonic() + HEAD_START_SECONDS
        second = [sys.executable, os.path.abspath(__file__), "--cvc5", path]
        while running or second:
            if second and (not running or time.monotonic() > give_second_at):
                running.append(start(second))
                second = None
            for solver in [one for one in running if one.poll() is not None]:
                running.remove(solver)
                answer = solver.stdout.read()
                if answer.startswith(("sat", "unsat")):
                    return answer
            time.sleep(POLL_SECONDS)
        return "unknown\n"
    finally:
        for solver in running:
            solver.kill()


if sys.argv[1] == "--cvc5":
    cvc5_main(sys.argv[2])
else:
    sys.stdout.write(first_answer(sys.argv[1]))
