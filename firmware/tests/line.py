"""A board at the end of a byte stream: a process, a pseudo-terminal or a TCP port."""

import os
import select
import socket
import struct
import subprocess
import sys
import termios
import time
import tty
from pathlib import Path

FIRMWARE = Path(__file__).resolve().parent.parent
BUILD = Path(os.environ.get("ISOFORM_FIRMWARE", FIRMWARE / "build"))
BOARD = FIRMWARE.parent / "examples" / "python_board" / "board.py"


class Silence(Exception):
    """No answer in time."""


def crc(data):
    """CRC-16/CCITT-FALSE, bit by bit, so that it is not the board's own way."""
    value = 0xFFFF
    for byte in data:
        value ^= byte << 8
        for _ in range(8):
            value = (value << 1 ^ 0x1021 if value & 0x8000 else value << 1) & 0xFFFF
    return value


def block(data):
    """A definite-length block."""
    return b"#%d%d%s" % (len(str(len(data))), len(data), data)


def checked(number, command):
    """A checked message."""
    body = b"%d %s" % (number, command)
    return body + b"*%04X\n" % crc(body)


class Line:
    """Bytes out and in, with a time limit."""

    def __init__(self, out, into, ends=()):
        self.out, self.into, self.ends, self.kept = out, into, ends, b""

    def send(self, data):
        while data:
            data = data[os.write(self.out, data):]

    def more(self, seconds):
        if not select.select([self.into], [], [], max(0.0, seconds))[0]:
            raise Silence(f"no answer; so far {self.kept!r}")
        data = os.read(self.into, 65536)
        if not data:
            raise EOFError("the board is gone")
        self.kept += data

    def line(self, seconds=5.0):
        """One answer without its LF; LF within a block does not end it."""
        end = time.monotonic() + seconds
        while True:
            try:
                at = self.kept.find(b"\n")
                mark = self.kept.find(b"#")
                if 0 <= mark and (at < 0 or mark < at):
                    digits = int(self.kept[mark + 1:mark + 2])
                    length = self.kept[mark + 2:mark + 2 + digits]
                    at = -1
                    if len(length) == digits:
                        at = self.kept.find(b"\n", mark + 2 + digits + int(length))
                if at >= 0:
                    answer, self.kept = self.kept[:at], self.kept[at + 1:]
                    return answer
            except ValueError:
                pass
            self.more(end - time.monotonic())

    def silent(self, seconds=0.3):
        """Nothing comes."""
        try:
            self.line(seconds)
        except Silence:
            return self.kept == b""
        return False

    def ask(self, message, seconds=5.0):
        self.send(message + b"\n")
        return self.line(seconds)

    def close(self):
        for end in self.ends:
            end()


def stop(process):
    def end():
        process.terminate()
        process.wait(5)
        for pipe in (process.stdin, process.stdout):
            if pipe:
                pipe.close()

    return end


def process(*command):
    """A board on standard input and output."""
    child = subprocess.Popen([str(c) for c in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    return Line(child.stdin.fileno(), child.stdout.fileno(), [stop(child)])


def simulator(mcu="atmega2560", baud=None):
    """The path of a terminal behind which the firmware runs as machine code, and how to stop it."""
    baud = baud or {"atmega2560": 1000000, "atmega328p": 115200}[mcu]
    child = subprocess.Popen([BUILD / "runner", mcu, BUILD / f"{mcu}-{baud}.elf"], stdout=subprocess.PIPE)
    return child.stdout.readline().decode().strip(), stop(child)


def terminal(path, ends=()):
    """A serial port, raw."""
    fd = os.open(path, os.O_RDWR | os.O_NOCTTY)
    tty.setraw(fd)
    termios.tcflush(fd, termios.TCIOFLUSH)
    return Line(fd, fd, [*ends, lambda: os.close(fd)])


def simulated(mcu="atmega2560", baud=None):
    path, end = simulator(mcu, baud)
    return terminal(path, [end])


def python(*arguments):
    return process(sys.executable, BOARD, *arguments)


def over_tcp():
    """The Python board on a free port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    child = subprocess.Popen([sys.executable, BOARD, "--tcp", str(port)])
    for _ in range(100):
        try:
            connection = socket.create_connection(("127.0.0.1", port))
            break
        except ConnectionRefusedError:
            time.sleep(0.05)
    return Line(connection.fileno(), connection.fileno(), [connection.close, stop(child)])


def words(*values):
    return struct.pack(f"<{len(values)}H", *values)
