"""What every board owes to docs/board-protocol.md, whatever its numbers and however it is reached."""

import math
import struct
import time

from line import block, words

NOBODY = 65535


class Board:
    """A board that was asked what it can do."""

    def __init__(self, line):
        self.line = line
        self.caps = dict(part.split(" ", 1) for part in line.ask(b"SYST:CAP?").decode().split(";"))
        self.cells, self.code, self.block = (int(self.caps[key]) for key in ("CELLS", "CODE", "BLOCK"))
        self.ids = [function.split(" ")[0] for function in self.caps["FUNC"].split(",")]
        self.fraction = None if self.caps["NUM"] == "F32" else int(self.caps["NUM"][1:])

    def numbers(self, *values):
        if self.fraction is None:
            return struct.pack(f"<{len(values)}f", *values)
        return struct.pack(f"<{len(values)}i", *[math.floor(v * 2**self.fraction + 0.5) for v in values])

    def values(self, data):
        if self.fraction is None:
            return list(struct.unpack(f"<{len(data) // 4}f", data))
        return [v / 2**self.fraction for v in struct.unpack(f"<{len(data) // 4}i", data)]

    def command(self, message):
        """Sends a command and takes its error."""
        self.line.send(message + b"\n")
        return self.error()

    def error(self):
        return int(self.line.ask(b"SYST:ERR?").split(b",")[0])

    def write(self, first, *values):
        return self.command(b"MEM:DATA %d," % first + block(self.numbers(*values)))

    def raw(self, first, count):
        answer = self.line.ask(b"MEM:DATA? %d,%d" % (first, count))
        return answer[2 + int(answer[1:2]):]

    def read(self, first, count):
        return self.values(self.raw(first, count))

    def load(self, *program):
        return self.command(b"PROG:DATA " + block(words(*program)))

    def run(self, ticks, mode, data):
        """Ticks that were done, results that were cut, and the block."""
        done, clipped, rest = self.line.ask(b"RUN? %d,%d," % (ticks, mode) + block(data), 20).split(b",", 2)
        return int(done), int(clipped), rest[2 + int(rest[1:2]):]

    def spikes(self, mode=0):
        """A neuron with input at 0, state at 1, coefficients at 2, parameters at 5, output at 10."""
        lif = self.ids.index("isoform.lif/1")
        if self.load(0, 1, 10, 1, 0, 3, lif, mode, 1, 0, 1, 2, 5, 10, 0):
            raise AssertionError("the program was refused")
        return self.write(0, 0, 0, 0.5, 0.5, 0, 1, 1, 0, 1, 0.25, 0)

    def counter(self):
        """Cell 1 counts the ticks in steps of cell 2, which is one; cell 1 is the output."""
        if self.load(0, 0, 1, 1, 0, 2, 1, 1, 2, 1, 2, 0):
            raise AssertionError("the program was refused")
        return self.write(1, 0, 1)


class Opened:
    """A board that is opened once for all tests; a subclass has `open`."""

    @classmethod
    def setUpClass(cls):
        cls.line = cls.open()
        cls.board = Board(cls.line)

    @classmethod
    def tearDownClass(cls):
        cls.line.close()


class Protocol(Opened):
    """The laws of the protocol."""

    # whether the board tells its errors apart, or refuses all with -200; and whether it drops a message that stops
    tells, drops = True, True

    def code(self, error):
        return error if self.tells else -200

    def setUp(self):
        self.line.send(b"*RST\n*CLS\n")

    def tearDown(self):
        self.assertEqual(self.board.error(), 0, "an error was left over")

    def needs_modes(self):
        if self.board.caps["MODES"] == "0":
            self.skipTest("this board has no modes")

    def refused(self, error, message):
        self.assertEqual(self.board.command(message), self.code(error), message[:80])
        self.assertEqual(self.board.error(), 0)

    def test_simple_commands(self):
        self.assertEqual(self.line.ask(b"*IDN?").count(b","), 3)
        self.assertEqual(self.line.ask(b"*OPC?"), b"1")
        self.assertEqual(self.line.ask(b"SYST:VERS?"), b"1")
        self.assertEqual(self.line.ask(b"SYST:ERR?"), b'0,"No error"')

    def test_words_have_no_case_and_cr_is_ignored(self):
        self.assertEqual(self.line.ask(b"*opc?\r"), b"1")
        self.assertEqual(self.line.ask(b"syst:Vers?"), b"1")
        self.assertEqual(self.board.command(b"Mem:Data 0, " + block(self.board.numbers(1.0)) + b"\r"), 0)
        self.assertEqual(self.board.read(0, 1), [1.0])

    def test_empty_lines_are_nothing(self):
        self.line.send(b"\n\r\n")
        self.assertEqual(self.line.ask(b"*OPC?"), b"1")

    def test_capabilities(self):
        self.assertLessEqual({"NUM", "CELLS", "CODE", "BLOCK", "RANGE", "FUNC", "OPS", "MODES", "CHECK"}, set(self.board.caps))
        self.assertIn("isoform.lif/1 1 1 5 1", self.board.caps["FUNC"].split(","))
        low, high = map(float, self.board.caps["RANGE"].split(","))
        self.assertLess(low, high)

    def test_errors_are_taken_oldest_first(self):
        self.line.send(b"WHAT\nMEM:DATA? 0\n")
        self.assertEqual([self.board.error() for _ in range(3)], [self.code(-113), self.code(-109), 0])

    def test_queue_overflows_and_is_cleared(self):
        self.line.send(b"MEM:DATA? 0\n" + b"WHAT\n" * 9)
        self.assertEqual([self.board.error() for _ in range(9)], [self.code(-109)] + [self.code(-113)] * 6 + [-350, 0])
        self.line.send(b"WHAT\n" * 3 + b"*CLS\n")
        self.assertEqual(self.board.error(), 0)

    def test_unknown_commands(self):
        for message in (b"WHAT", b"*IDN", b"RUN", b"MEM:DATA?? 0,1", b"FORM:CHEC MAYBE", b"\x00\xff", b"*RST now", b"PROG:DAT"):
            self.refused(-113, message)

    def test_missing_arguments(self):
        for message in (b"PROG:DATA", b"MEM:DATA", b"MEM:DATA 0", b"MEM:DATA 0,", b"MEM:DATA?", b"MEM:DATA? 1", b"MEM:DATA? ,1",
                        b"MEM:DATA? 1,x", b"RUN?", b"RUN? 1", b"RUN? 1,0", b"RUN? 1,0,"):
            self.refused(-109, message)

    def test_blocks_that_are_none(self):
        for message in (b"PROG:DATA 12", b"PROG:DATA #0", b"PROG:DATA #x", b"PROG:DATA #2x1", b"MEM:DATA 0,#14abcdef", b"RUN? 1,0,abc",
                        b"PROG:DATA #13abc", b"MEM:DATA 0,#15abcde", b"PROG:DATA #"):
            self.refused(-161, message)

    def test_blocks_in_wrong_places(self):
        for message in (b"*RST #10", b"MEM:DATA 1#14abcd", b"MEM:DATA #14abcd", b"MEM:DATA ,#14abcd", b"MEM:DATA 1#14abcd2"):
            self.line.send(message + b"\n")
            self.assertLess(self.board.error(), 0, message)
        self.assertEqual(self.board.read(0, 20), [0.0] * 20)

    def test_no_inputs_stand_anywhere(self):
        self.assertEqual(self.board.load(NOBODY, 0, NOBODY, 0, 0, 0), 0)

    def test_arguments_out_of_range(self):
        cells, one = self.board.cells, block(self.board.numbers(1.0))
        self.refused(-222, b"MEM:DATA %d," % cells + one)
        self.refused(-222, b"MEM:DATA 99999999999," + one)
        self.refused(-222, b"MEM:DATA -1," + one)
        self.refused(-222, b"MEM:DATA? %d,2" % (cells - 1))
        self.refused(-222, b"MEM:DATA? 4294967295,2")
        self.board.spikes()
        for mode in (6, 7, 8, 65536):
            self.refused(-222, b"RUN? 1,%d," % mode + one)
        self.refused(-222, b"RUN? 2,0," + one)
        self.refused(-222, b"RUN? 2,1," + block(self.board.numbers(1, 1)))
        for ticks in (65536, 4294967295, 10**18):
            self.refused(-222, b"RUN? %d,5," % ticks + one)

    def test_out_of_memory(self):
        self.board.counter()
        self.refused(-225, b"RUN? %d,0,#10" % (self.board.block // 4 + 1))
        self.assertEqual(self.board.read(1, 1), [0.0])
        if 2 * self.board.code < self.board.block:
            self.refused(-225, b"PROG:DATA " + block(bytes(2 * self.board.code + 2)))

    def test_message_too_long(self):
        self.refused(-100, b"PROG:DATA " + block(bytes(self.board.block + 2)))

    def test_message_that_stops(self):
        if not self.drops:
            self.skipTest("this board is for lines that lose nothing")
        for part in (b"*OP", b"MEM:DATA 0,#", b"MEM:DATA 0,#3", b"MEM:DATA 0,#18ab\nd"):
            self.line.send(part)
            time.sleep(0.4)
            self.assertEqual(self.board.error(), -109, part)
        self.assertEqual(self.board.read(0, 1), [0.0])

    def test_blocks_hold_every_byte(self):
        for first in range(0, 256, 64):
            data = bytes(range(first, first + 64))
            if self.board.fraction is None:
                # numbers that are none need not keep their bits
                data = bytes(v for i in range(16) for v in (first % 256, 10, 13, 0x30 + i))
            self.assertEqual(self.board.command(b"MEM:DATA 3," + block(data)), 0)
            self.assertEqual(self.board.raw(3, 16), data)
        self.assertEqual(self.board.raw(0, 0), b"")

    def test_bad_operations_change_nothing(self):
        lif, cells = self.board.ids.index("isoform.lif/1"), self.board.cells
        self.board.counter()
        copy = [1, 0, 1, 1]
        bad = [[], [0] * 5, [0, 0, 0, 0, 1, 0], [0, 0, 0, 0, 0, 7, 0], [0, 0, 0, 0, 0, *copy], [0, 0, 0, 0, 0, *copy, 0, 0],
               [cells, 1, 0, 0, 0, 0], [0, 0, cells - 1, 2, 0, 0], [65535, 65535, 0, 0, 0, 0]]
        operations = [[1, cells, 0, 1], [1, 0, cells, 1], [1, 0, 0], [2, 0, 1, 3, 1, 2], [2, 0, 1, 2, 1, cells], [2, cells, 1, 1, 0],
                      [4, 0, 0, 1, 1, cells, NOBODY], [4, 0, 0, 300, 300, 0, NOBODY], [4, 0, cells, 1, 1, 0, 0], [4, 0, 0, 1, 1, 0, cells],
                      [3, 99, 0, 1, 0, 1, 2, 5, 10], [3, lif, 8, 1, 0, 1, 2, 5, 10], [3, lif, 0, 1, cells, 1, 2, 5, 10],
                      [3, lif, 0, 1, 0, cells, 2, 5, 10], [3, lif, 0, 1, 0, 1, cells - 2, 5, 10], [3, lif, 0, 1, 0, 1, 2, cells - 4, 10],
                      [3, lif, 0, 1, 0, 1, 2, 5, cells], [3, lif, 0, 65535, 0, 1, 2, 5, 10], [3, lif, 0, 1, 0, NOBODY, 2, 5, 10]]
        if "READ" in self.board.caps["OPS"]:
            operations += [[5, 0, 1, 2, cells, 1, 1, 1], [5, 0, 1, cells, 9, 1, 1, 1], [5, 0, 1, 2, 9, 1, 0, 0], [5, 0, 1, 2, 9, 1, 1, 2],
                           [5, 0, cells, 2, 9, 1, 1, 0], [5, 0, 1, 2, 9, 3, 1, 1], [6, cells, 9, 1, 1, 0], [6, 0, cells, 1, 1, 0],
                           [6, 0, 9, 1, 0, 0], [6, 0, 9, 1, 1, cells]]
        for program in bad + [[0, 0, 0, 0, 0, *operation, 0] for operation in operations]:
            self.assertEqual(self.board.load(*program), self.code(-285), program)
        self.assertEqual(self.board.run(3, 0, b""), (3, 0, self.board.numbers(1, 2, 3)))

    def test_a_neuron_step_by_step(self):
        self.board.spikes()
        # v' = v/2 + x/2, above 1 it fires and goes to 1/4
        done, clipped, rows = self.board.run(5, 0, self.board.numbers(1.5, 1.5, 1.5, -1, 4))
        self.assertEqual((done, clipped, self.board.values(rows)), (5, 0, [0, 1, 0, 0, 1]))
        self.assertEqual(self.board.read(1, 1), [0.25])
        self.assertEqual(self.board.run(0, 0, b""), (0, 0, b""))

    def test_flags_of_a_neuron(self):
        for flags, fired, state in ((0, [0, 1, 0], 0.875), (1, [0, 0, 1], 0.25), (2, [1, 0, 1], 0.25), (4, [0, 1, 0], 1.0), (6, [1, 0, 1], 0.4375)):
            self.board.spikes(flags)
            rows = self.board.run(3, 0, self.board.numbers(2, 1.5, 1.5))[2]
            self.assertEqual((self.board.values(rows), self.board.read(1, 1)), (fired, [state]), flags)

    def test_modes_of_a_run(self):
        self.needs_modes()
        self.board.spikes()
        self.assertEqual(self.board.run(4, 1, self.board.numbers(1.5))[2], self.board.numbers(0, 1, 0, 1))
        self.board.spikes()
        self.assertEqual(self.board.run(4, 3, self.board.numbers(1.5))[2], b"\x00\x01\x00\x01")
        self.board.spikes()
        self.assertEqual(self.board.run(4, 5, self.board.numbers(1.5)), (4, 0, struct.pack("<I", 2)))

    def test_bits_are_lowest_first(self):
        self.needs_modes()
        self.board.load(20, 9, 20, 9, 0, 0)
        row = self.board.numbers(1, 0, 0, 0.5, 0, 0, 0, -1, 2)
        self.assertEqual(self.board.run(2, 3, row)[2], b"\x89\x01\x89\x01")

    def test_state_goes_on_from_run_to_run(self):
        self.board.counter()
        self.board.run(3, 0, b"")
        self.assertEqual(self.board.run(2, 0, b"")[2], self.board.numbers(4, 5))

    def test_reset_drops_program_and_memory_but_no_error(self):
        self.board.counter()
        self.board.run(3, 0, b"")
        self.line.send(b"WHAT\n*RST\n")
        self.assertEqual(self.board.error(), self.code(-113))
        self.assertEqual(self.board.read(0, 3), [0, 0, 0])
        self.assertEqual(self.board.run(3, 0, b""), (3, 0, b""))

    def test_copy_sum_and_linear(self):
        # 0..2 in, 3..4 = W x + b, 5..6 = copy, 7..8 = 3..4 + 5..6 + 0..1
        self.assertEqual(self.board.load(0, 3, 3, 6, 0, 4, 3, 0, 2, 3, 10, 16, 1, 5, 3, 2, 2, 7, 2, 3, 3, 5, 0, 0), 0)
        self.board.write(10, 1, 2, 3, -1, 0.5, 0, 0.25, -0.25)
        row = [1, 2, -1]
        linear = [1 + 4 - 3 + 0.25, -1 + 1 - 0.25]
        total = [2 * linear[0] + 1, 2 * linear[1] + 2]
        self.assertEqual(self.board.values(self.board.run(1, 0, self.board.numbers(*row))[2]), linear + linear + total)

    def test_nobody(self):
        # a neuron without input and without output, a map without bias
        lif = self.board.ids.index("isoform.lif/1")
        self.assertEqual(self.board.load(0, 0, 1, 1, 0, 3, lif, 0, 1, NOBODY, 1, 2, 5, NOBODY, 4, 10, 1, 1, 1, 11, NOBODY, 0), 0)
        self.board.write(1, 0.5, 0.5, 0.5, 0.125, 1, 1, 0, 1, 0)
        self.board.write(11, 2)
        self.assertEqual(self.board.values(self.board.run(2, 0, b"")[2]), [0.375, 0.3125])
        self.assertEqual(self.board.read(10, 1), [0.625])

    def test_a_query_that_fails_is_not_answered(self):
        self.line.send(b"RUN? 1,9,#10\n")
        self.assertTrue(self.line.silent())
        self.assertEqual(self.board.error(), self.code(-222))
