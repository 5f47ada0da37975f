"""The vendor's library for ArC ONE (PyPI `libarc1` 0.1.0) against the twin of the board.

Anchor: third-party-client.

    pip install libarc1
    cargo run -- twin 'arc-one?seed=7'       # prints a path
    python devices/tests/arc_one_client.py /dev/pts/N

Parity is left out, because a pseudo-terminal has none and refuses to be told so twice.
"""

import sys

import numpy as np
import serial
from libarc1 import ArC1

FAILURES = []


def check(what, right, seen):
    print(("ok   " if right else "FAIL ") + f"{what}: {seen}")
    if not right:
        FAILURES.append(what)


def ohms(value):
    return 1e3 < value < 1e6


arc = ArC1(sys.argv[1], parity=serial.PARITY_NONE)
check("firmware", arc.firmware_version == (1, 4), arc.firmware_version)

first, again = arc.read_one(5, 7), arc.read_one(5, 7)
check("a read", ohms(first), first)
check("a second read is the same within noise", abs(first / again - 1) < 0.02, again)

lower = arc.pulseread_one(5, 7, -1.8, 100e-6)
check("a negative pulse lowers the resistance", lower < 0.8 * first, lower)
higher = arc.pulseread_one(5, 7, 1.8, 100e-6)
check("a positive pulse raises it", higher > 1.1 * lower, higher)

arc.select(5, 7)
before = arc.read_one(5, 7)
arc.pulse_active(-1.8, 1e-7)  # six decimals make nought of this
check("a pulse of 100 ns is lost by the library", abs(arc.read_one(5, 7) / before - 1) < 0.02, arc.read_one(5, 7))
arc.pulse_active(-1.8, 1e-4)
check("a pulse of 100 us is not", arc.read_one(5, 7) < 0.9 * before, arc.read_one(5, 7))

cells = [x for x in arc.read_all(words=4, bits=8) if isinstance(x, tuple)]
check("a read of all", len(cells) == 32 and all(ohms(r) for _, _, r in cells), len(cells))
check("words first", [c[:2] for c in cells[:9]][-1] == (2, 1), cells[8][:2])

listed = [x for x in arc.read_masked([(1, 1), (32, 32), (5, 7)]) if isinstance(x, tuple)]
check("a read of a list", [c[:2] for c in listed] == [(1, 1), (32, 32), (5, 7)], listed)

arc.update_Vread(0.2)
check("another reading voltage", abs(arc.read_one(5, 7) / listed[2][2] - 1) < 0.05, np.float64(arc.read_one(5, 7)))
arc.close()
print("all right" if not FAILURES else f"{len(FAILURES)} failures")
sys.exit(bool(FAILURES))
