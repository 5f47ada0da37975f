"""The laws on every board that is here."""

import unittest

import line
from protocol import Protocol


class Host(Protocol, unittest.TestCase):
    open = staticmethod(lambda: line.process(line.BUILD / "host"))


class Sanitized(Protocol, unittest.TestCase):
    open = staticmethod(lambda: line.process(line.BUILD / "sanitized"))


class Mega(Protocol, unittest.TestCase):
    open = staticmethod(line.simulated)


class Uno(Protocol, unittest.TestCase):
    open = staticmethod(lambda: line.simulated("atmega328p"))


class Python(Protocol, unittest.TestCase):
    tells, drops = False, False
    open = staticmethod(line.python)


class PythonOverTcp(Python):
    open = staticmethod(line.over_tcp)


if __name__ == "__main__":
    unittest.main()
