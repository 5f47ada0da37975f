"""Checked mode: a message is done once, whatever the cable does."""

import random
import time
import unittest

import line
from line import block, checked, crc
from protocol import Opened


class Checked(Opened):
    def setUp(self):
        self.line.send(b"*RST\n*CLS\n")
        self.board.counter()
        self.line.send(b"FORM:CHEC ON\n")
        self.number = 0

    def tearDown(self):
        for number in (self.number + 100, self.number + 101):
            self.line.send(checked(number % 65536, b"FORM:CHEC OFF"))
        time.sleep(0.3)
        while True:
            try:
                self.line.line(0.2)
            except line.Silence:
                break
        self.line.kept = b""
        self.line.send(b"*CLS\n")
        self.assertEqual(self.line.ask(b"*OPC?"), b"1")

    def answer(self, message):
        self.line.send(message)
        return self.line.line()

    def ask(self, command):
        """A message with the next number; the answer's number and sum are checked and taken off."""
        self.number += 1
        return self.opened(self.answer(checked(self.number, command)), self.number)

    def opened(self, answer, number):
        body, _, end = answer.rpartition(b"*")
        self.assertEqual(end, b"%04X" % crc(body), answer)
        self.assertTrue(body.startswith(b"%d " % number), answer)
        return body[len(b"%d " % number):]

    def counted(self):
        """How often the counter went on."""
        answer = self.ask(b"MEM:DATA? 1,1")
        return self.board.values(answer[5:])[0]

    def test_every_message_is_answered(self):
        self.assertEqual(self.ask(b"*OPC?"), b"0 1")
        self.assertEqual(self.ask(b"*CLS"), b"0")
        self.assertEqual(self.ask(b"WHAT"), b"-113")
        self.assertEqual(self.ask(b"RUN? 1,9,#10"), b"-222")
        self.assertEqual(self.ask(b"MEM:DATA? 0"), b"-109")
        self.assertEqual(self.ask(b"PROG:DATA #0"), b"-161")
        self.assertEqual(self.ask(b"PROG:DATA " + block(bytes(self.board.block + 2))), b"-100")
        self.assertEqual(self.ask(b"SYST:ERR?"), b'0 0,"No error"', "an error that was answered is not in the queue")
        self.assertEqual(self.ask(b"RUN? 2,0,#10"), b"0 2,0," + block(self.board.numbers(1, 2)))
        self.assertTrue(self.ask(b"SYST:CAP?").startswith(b"0 NUM "))
        self.assertTrue(self.ask(b"*IDN?").startswith(b"0 "))

    def test_a_repeat_is_answered_but_not_done(self):
        message = checked(7, b"RUN? 3,0,#10")
        first = self.answer(message)
        for _ in range(3):
            self.assertEqual(self.answer(message), first)
        self.assertEqual(self.counted(), 3)

    def test_the_same_number_is_a_repeat_whatever_it_says(self):
        first = self.answer(checked(7, b"RUN? 3,4,#10"))
        self.assertEqual(self.answer(checked(7, b"*OPC?")), first)

    def test_a_repeat_of_an_error_and_of_a_command(self):
        for command in (b"WHAT", b"*CLS", b"SYST:ERR?", b"SYST:CAP?", b"MEM:DATA 8," + block(self.board.numbers(1))):
            self.number += 1
            first = self.answer(checked(self.number, command))
            self.assertEqual(self.answer(checked(self.number, command)), first)

    def test_the_first_number_may_be_any(self):
        self.assertEqual(self.opened(self.answer(checked(0, b"*OPC?")), 0), b"0 1")
        self.assertEqual(self.opened(self.answer(checked(65535, b"*OPC?")), 65535), b"0 1")

    def test_mode_begins_anew(self):
        self.answer(checked(5, b"RUN? 1,4,#10"))
        self.answer(checked(6, b"FORM:CHEC OFF"))
        self.line.send(b"FORM:CHEC ON\n")
        # the number of the last message counts as none
        self.answer(checked(6, b"RUN? 1,4,#10"))
        self.assertEqual(self.counted(), 2)

    def test_what_is_damaged_is_as_if_it_had_not_come(self):
        good = checked(9, b"RUN? 1,4,#10")
        for bad in (good[:-3] + b"x\n", good.replace(b"1,4", b"2,4"), b"9 RUN? 1,4,#10\n", b"RUN? 1,4,#10\n", b"\n", b"65536 *OPC?*0000\n",
                    good.replace(b"9 ", b"8 ", 1), good.replace(b"*", b""), checked(70000, b"*OPC?"), b"*%04X\n" % crc(b"")):
            self.line.send(bad)
            self.assertTrue(self.line.silent(0.1), bad)
        self.assertEqual(self.counted(), 0)
        self.assertEqual(self.ask(b"SYST:ERR?"), b'0 0,"No error"')

    def test_a_damaged_length_delays_but_does_not_deceive(self):
        data = self.board.numbers(*range(8))
        good = checked(3, b"MEM:DATA 8," + block(data))
        self.line.send(good.replace(b"#232", b"#292"))
        self.assertTrue(self.line.silent(0.4))
        self.assertEqual(self.opened(self.answer(good), 3), b"0")
        self.assertEqual(self.ask(b"MEM:DATA? 8,8"), b"0 " + block(data))

    def test_the_kept_answer_outlives_damaged_repeats(self):
        # the largest run: inputs and outputs fill the block; a repeat whose number and length are damaged may not reach the answer
        rows = self.board.block // 8
        self.ask(b"PROG:DATA " + block(line.words(3, 1, 1, 1, 0, 2, 1, 1, 2, 1, 2, 0)))
        self.ask(b"MEM:DATA 2," + block(self.board.numbers(0.25)))
        self.number += 1
        good = checked(self.number, b"RUN? %d,0," % rows + block(self.board.numbers(*[k % 16 for k in range(rows)])))
        first = self.answer(good)
        self.assertEqual(self.opened(first, self.number)[:2], b"0 ")
        for bad in (good.replace(b"%d RUN" % self.number, b"77 RUN"), good.replace(block(b" " * 4 * rows)[:5], b"#9000"), good[:-1] + b"aaaaaaaaaaaa\n",
                    b"7" + good[:90] + good[91:], good[:90] + good[89:]):
            self.line.send(bad)
            self.assertTrue(self.line.silent(0.4), bad)
            self.assertEqual(self.answer(good), first)
        self.assertEqual(self.counted(), rows / 4)

    def test_a_bad_cable(self):
        """Bytes are lost, changed and doubled; the host repeats until it is answered, and everything is done once."""
        chance, ran = random.Random(1), 0
        for _ in range(self.rounds):
            self.number += 1
            ticks = chance.randrange(1, 4)
            good = checked(self.number, b"RUN? %d,0,#10" % ticks)
            while True:
                sent = bytearray(good)
                if chance.random() < 0.6:
                    at = chance.randrange(len(sent))
                    sent[at:at + 1] = chance.choice([b"", bytes([sent[at] ^ 1 << chance.randrange(8)]), bytes([sent[at]] * 2)])
                self.line.send(bytes(sent))
                try:
                    answer = self.line.line(0.25)
                except line.Silence:
                    self.line.kept = b""
                    continue
                if chance.random() < 0.3:
                    continue  # the answer is lost
                break
            ran += ticks
            self.assertEqual(self.opened(answer, self.number), b"0 %d,0," % ticks + block(self.board.numbers(*range(ran - ticks + 1, ran + 1))))
        self.assertEqual(self.counted(), ran)


class Host(Checked, unittest.TestCase):
    rounds = 60
    open = staticmethod(lambda: line.process(line.BUILD / "sanitized"))


class Mega(Checked, unittest.TestCase):
    rounds = 20
    open = staticmethod(line.simulated)


class Uno(Checked, unittest.TestCase):
    rounds = 5
    open = staticmethod(lambda: line.simulated("atmega328p"))


if __name__ == "__main__":
    unittest.main()
