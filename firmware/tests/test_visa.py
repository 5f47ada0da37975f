"""PyVISA takes the firmware for an instrument on a serial port."""

import struct
import unittest

import line

try:
    import pyvisa
except ImportError:
    pyvisa = None


@unittest.skipIf(pyvisa is None, "PyVISA is not installed: python3 -m pip install pyvisa pyvisa-py pyserial")
class Visa(unittest.TestCase):
    def setUp(self):
        path, self.end = line.simulator()
        self.manager = pyvisa.ResourceManager("@py")
        self.board = self.manager.open_resource(f"ASRL{path}::INSTR", read_termination="\n", write_termination="\n", timeout=5000)

    def tearDown(self):
        self.board.close()
        self.manager.close()
        self.end()

    def test_it_is_an_instrument(self):
        self.assertEqual(self.board.query("*IDN?"), "isoform,reference board atmega2560,0,1")
        self.board.write("WHAT")
        self.assertEqual(self.board.query("SYST:ERR?"), '-113,"Unknown command"')
        self.assertEqual(self.board.query("SYST:ERR?"), '0,"No error"')
        self.assertIn("NUM Q24;", self.board.query("SYST:CAP?"))

    def test_blocks_go_both_ways(self):
        numbers = [0, 1, -1, 10, 2560, 1 << 30, 13]
        self.board.write_binary_values("MEM:DATA 5,", numbers, datatype="i", is_big_endian=False)
        self.assertEqual(self.board.query("SYST:ERR?"), '0,"No error"')
        self.assertEqual(self.board.query_binary_values("MEM:DATA? 5,7", datatype="i", is_big_endian=False), numbers)

    def test_a_run(self):
        program = [0, 0, 1, 1, 0, 2, 1, 1, 2, 1, 2, 0]
        self.board.write_binary_values("PROG:DATA ", program, datatype="H", is_big_endian=False)
        self.board.write_binary_values("MEM:DATA 1,", [0, 1 << 24], datatype="i", is_big_endian=False)
        self.assertEqual(self.board.query("SYST:ERR?"), '0,"No error"')
        self.board.write("RUN? 3,0,#10")
        self.assertEqual(self.board.read_bytes(7 + 3 + 12 + 1 - 2), b"3,0,#212" + struct.pack("<3i", 1 << 24, 2 << 24, 3 << 24) + b"\n")


if __name__ == "__main__":
    unittest.main()
