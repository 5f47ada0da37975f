"""Thousands of damaged messages: under the sanitizers the firmware neither stops nor forgets what a board owes."""

import random
import re
import struct
import subprocess
import unittest

from line import BUILD, block, checked, words

SEEDS = [
    b"*IDN?\n", b"*RST\n", b"*CLS\n", b"*OPC?\n", b"SYST:ERR?\n", b"SYST:VERS?\n", b"SYST:CAP?\n", b"FORM:CHEC ON\n",
    b"PROG:DATA " + block(words(0, 1, 10, 1, 0, 3, 0, 0, 1, 0, 1, 2, 5, 10, 0)) + b"\n",
    b"PROG:DATA " + block(words(0, 2, 2, 4, 0, 5, 2, 0, 20, 30, 2, 3, 0, 3, 6, 20, 30, 2, 3, 0, 0)) + b"\n",
    b"PROG:DATA " + block(words(0, 3, 3, 6, 0, 4, 3, 0, 2, 3, 10, 16, 1, 5, 3, 2, 2, 7, 2, 3, 3, 5, 0, 0)) + b"\n",
    b"MEM:DATA 0," + block(bytes(range(48))) + b"\n", b"MEM:DATA 1190," + block(b"\xff" * 40) + b"\n", b"MEM:DATA? 0,256\n",
    b"RUN? 3,0," + block(struct.pack("<6i", *range(6))) + b"\n", b"RUN? 9,1," + block(bytes(4)) + b"\n", b"RUN? 5,5," + block(bytes(8)) + b"\n",
    b"RUN? 5,3," + block(bytes(12)) + b"\n", b"PROG:DATA " + block(bytes(1026)) + b"\n",
    b"PROG:DATA " + block(words(0, 0, 1, 1, 0, 2, 1, 1, 2, 1, 2, 0)) + b"\n", b"RUN? 300,0,#10\n", b"RUN? 4000,0,#10\n",
    b"RUN? 90000,2,#10\n",
]


def damaged(chance, message):
    message = bytearray(message)
    for _ in range(chance.choice([0, 1, 1, 2, 4])):
        at = chance.randrange(len(message) + 1)
        message[at:at + chance.choice([0, 1, 1, 3])] = chance.choice(
            [b"", bytes([chance.randrange(256)]), b"#", b"\n", b",", b"*", b"9", b"\xff\xff", bytes(message[:at][-8:])])
    return bytes(message)


class Damage(unittest.TestCase):
    def test_messages(self):
        chance = random.Random(4)
        records, number = [], 0
        for _ in range(12000):
            message = chance.choice(SEEDS)
            if chance.random() < 0.5:
                number = (number + chance.choice([0, 1, 1, 1])) % 65536
                message = checked(number, message[:-1])
                # most keep a sum that fits, so that what is behind it is reached
                message = damaged(chance, message) if chance.random() < 0.3 else checked(number, damaged(chance, chance.choice(SEEDS))[:-1])
            else:
                message = damaged(chance, message)
            records.append(message)
        # whatever mode it is in, it is brought back
        records += [checked((number + k) % 65536, b"FORM:CHEC OFF") for k in (1, 2)]
        records += [b"*RST\n", b"*CLS\n", b"*OPC?\n", b"SYST:ERR?\n", b"MEM:DATA? 0,2\n"]
        given = b"".join(struct.pack("<H", len(record)) + record for record in records)
        done = subprocess.run([BUILD / "sanitized", "--records"], input=given, capture_output=True, timeout=300)
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        # the damage is not so great that all of it is refused at the door
        for code in (0, -100, -109, -113, -161, -222, -225, -285):
            self.assertGreater(len(re.findall(rb"^\d+ %d[ *]" % code, done.stdout, re.MULTILINE)), 20, code)
        self.assertTrue(done.stdout.endswith(b'1\n0,"No error"\n#18' + bytes(8) + b"\n"), done.stdout[-80:])


if __name__ == "__main__":
    unittest.main()
