"""The arithmetic and the lines of the firmware, against whole numbers of Python: on the process and as machine code."""

import random
import struct
import unittest

import line
from line import block
from protocol import Opened

ONE, LOW, HIGH = 1 << 24, -(1 << 31), (1 << 31) - 1
EDGES = [0, 1, -1, 2, -2, ONE, -ONE, ONE - 1, 1 - ONE, ONE // 2, -ONE // 2, ONE // 2 + 1, HIGH, LOW, HIGH - 1, LOW + 1, 1 << 23, -(1 << 23), 11 << 27]


class Reference:
    """A product is rounded at the half towards plus infinity; what is beyond the ends is cut, and counted."""

    def __init__(self):
        self.clipped = 0

    def cut(self, value):
        self.clipped += not LOW <= value <= HIGH
        return min(max(value, LOW), HIGH)

    def mul(self, a, b):
        return self.cut((a * b + ONE // 2) >> 24)

    def add(self, a, b):
        return self.cut(a + b)

    def linear(self, weights, x, bias):
        total = bias
        for w, v in zip(weights, x):
            total = self.add(total, self.mul(w, v))
        return total


class Machine(Opened):
    def setUp(self):
        self.line.send(b"*RST\n*CLS\n")
        self.assertEqual(self.line.ask(b"*OPC?"), b"1")

    def words(self, first, values):
        self.assertEqual(self.board.command(b"MEM:DATA %d," % first + block(struct.pack(f"<{len(values)}i", *values))), 0)

    def test_products(self):
        n = 30
        scale = self.board.ids.index("isoform.scale/1")
        self.assertEqual(self.board.load(0, n, 2 * n, n, 0, 3, scale, 0, n, 0, 0, 0, n, 2 * n, 0), 0)
        pairs = [(a, b) for a in EDGES for b in EDGES]
        chance = random.Random(2)
        pairs += [(chance.getrandbits(32) - (1 << 31) >> chance.randrange(32), chance.getrandbits(32) - (1 << 31) >> chance.randrange(32))
                  for _ in range(1500)]
        # products whose rounding carries through all bytes that are kept
        pairs += [(ONE // 2, 2 * k - 1) for k in range(-3, 4)] + [(1, -(ONE // 2)), (-1, ONE // 2), (1, -(ONE // 2) - 1), (1 << 16, -(1 << 31)), (1 << 20, 128 << 20)]
        pairs += [(0, 0)] * (-len(pairs) % n)
        for at in range(0, len(pairs), n):
            part, want = pairs[at:at + n], Reference()
            self.words(n, [b for _, b in part])
            products = [want.mul(a, b) for a, b in part]
            done, clipped, rows = self.board.run(1, 0, struct.pack(f"<{n}i", *[a for a, _ in part]))
            self.assertEqual(list(struct.unpack(f"<{n}i", rows)), products, part)
            self.assertEqual((done, clipped), (1, want.clipped))

    def test_maps(self):
        chance = random.Random(3)
        self.assertEqual(self.board.load(0, 6, 6, 4, 0, 4, 6, 0, 4, 6, 10, 40, 0), 0)
        for size in (4 << 24, 100 << 24):
            draw = lambda count: [chance.randrange(-size, size) for _ in range(count)]
            w, bias, x = draw(24), draw(4), draw(6)
            self.words(10, w)
            self.words(40, bias)
            want = Reference()
            rows = [want.linear(w[6 * r:6 * r + 6], x, bias[r]) for r in range(4)]
            self.assertEqual(self.board.run(1, 0, struct.pack("<6i", *x)), (1, want.clipped, struct.pack("<4i", *rows)))

    def test_lines(self):
        # two channels, delays of 0 and 3, then of 2 and 1, in a line of 3 rows; the head starts beyond its end
        self.assertEqual(self.board.load(0, 2, 2, 4, 0, 5, 2, 0, 20, 30, 2, 3, 0, 3, 5, 4, 0, 20, 30, 2, 3, 2, 1, 6, 20, 30, 2, 3, 0, 0), 0)
        self.words(30, [7])
        rows = struct.unpack("<40i", self.board.run(10, 0, struct.pack("<20i", *range(1, 21)))[2])
        past = lambda t, i: 2 * t + i + 1 if t >= 0 else 0
        self.assertEqual(list(rows), [v for t in range(10) for v in (past(t, 0), past(t - 3, 1), past(t - 2, 0), past(t - 1, 1))])
        self.assertEqual(self.board.raw(30, 1), struct.pack("<i", (7 + 10) % 3))

    def test_two_states(self):
        # CubaLIF, two channels: states by kind, coefficients and parameters by channel
        f = self.board.ids.index("isoform.cubalif/1")
        self.assertEqual(self.board.load(0, 2, 2, 2, 0, 3, f, 0, 2, 0, 4, 10, 30, 2, 0), 0)
        phi, gamma, constant = [0.5, 0, 0.25, 0.5], [1, 0.5], [0, 0.125]
        self.board.write(10, *phi, *gamma, *constant, *phi, *gamma, *constant)
        self.board.write(30, 0, 0, 0, 0, 0, 1, -0.5, 0, 0, 0, 0, 0, 4, 0)
        x, s, want = [1, 2], [[0, 0], [0, 0]], []
        for _ in range(6):
            for i, (threshold, reset) in enumerate(((1, -0.5), (4, 0))):
                a, b = s[i]
                a, b = phi[0] * a + gamma[0] * x[i], phi[2] * a + phi[3] * b + gamma[1] * x[i] + constant[1]
                want.append(float(b > threshold))
                s[i] = [a, reset if b > threshold else b]
        self.assertIn(1, want)
        self.assertEqual(self.board.values(self.board.run(6, 1, self.board.numbers(*x))[2]), want)
        self.assertEqual(self.board.read(4, 4), [s[0][0], s[1][0], s[0][1], s[1][1]])


class Host(Machine, unittest.TestCase):
    open = staticmethod(lambda: line.process(line.BUILD / "sanitized"))


class Mega(Machine, unittest.TestCase):
    open = staticmethod(line.simulated)


if __name__ == "__main__":
    unittest.main()
