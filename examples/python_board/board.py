"""A board of docs/board-protocol.md in Python: board.py on standard input and output, board.py --tcp PORT on 127.0.0.1."""
import line
import numpy as np

memory, program, NOBODY = np.zeros(4096, "<f4"), [0] * 6, 65535
ANSWERS = {b"*IDN?": b"isoform,python board,0,1", b"SYST:VERS?": b"1", b"SYST:CAP?":
           b"NUM F32;CELLS 4096;CODE 4096;BLOCK %d;RANGE -1000000,1000000;FUNC isoform.lif/1 1 1 5 1;" % line.BLOCK
           + b"OPS COPY,SUM,NEURON,LINEAR;MODES 0;CHECK 0"}

def cells(m, first, count):
    if count and first + count > 4096: raise IndexError("outside the memory")
    return m[first:first + count]

def tick(m, code, row):  # a row in, a row out; every product and every sum is rounded to single precision
    first, inputs, last, outputs, *words = code
    cells(m, first, inputs)[:] = row
    while words != [0, 0]:
        match words:
            case [0, 1, to, source, n, *rest]: cells(m, to, n)[:] = cells(m, source, n)
            case [0, 2, to, n, k, *rest]: cells(m, to, n)[:], rest = sum(cells(m, term, n) for term in rest[:k]), rest[k:]
            case [0, 3, 0, flags, n, x, s, c, p, y, *rest] if flags < 8:
                (phi, gamma, constant), (*_, threshold, reset) = cells(m, c, 3 * n).reshape(n, 3).T, cells(m, p, 5 * n).reshape(n, 5).T
                state, x = cells(m, s, n), 0 if x == NOBODY else cells(m, x, n)
                flowed = constant + gamma * x + phi * state
                fired = (np.greater_equal if flags & 2 else np.greater)(state if flags & 1 else flowed, threshold)
                state[:] = np.where(fired, flowed + (reset - threshold) if flags & 4 else reset, flowed)
                if y != NOBODY: cells(m, y, n)[:] = fired
            case [0, 4, to, source, n, columns, w, b, *rest]:
                products = cells(m, w, n * columns).reshape(n, columns) * cells(m, source, columns)
                cells(m, to, n)[:] = sum(products.T, 0 if b == NOBODY else cells(m, b, n))
            case _: raise ValueError("no such operation")
        words = [0, *rest]
    return cells(m, last, outputs).copy()

def do(name, numbers, data):  # gives the answer of a query; an exception changes nothing
    match name, numbers, data:
        case b"*RST", [], None: program[:], memory[:] = [0] * 6, 0
        case b"PROG:DATA", [], bytes():
            code = np.frombuffer(data, "<u2").tolist()
            tick(memory.copy(), code, 0)
            program[:] = code
        case b"MEM:DATA", [first], bytes(): cells(memory, first, len(data) // 4)[:] = np.frombuffer(data, "<f4")
        case b"MEM:DATA?", [first, count], None: return line.block(cells(memory, first, count).tobytes())
        case b"RUN?", [ticks, 0], bytes() if ticks <= line.BLOCK and 4 * ticks * (program[1] + program[3]) <= line.BLOCK:
            rows = [tick(memory, program, row) for row in np.frombuffer(data, "<f4").reshape(ticks, program[1])]
            return b"%d,0,%b" % (ticks, line.block(np.array(rows, "<f4").tobytes()))
        case _, [], None: return ANSWERS[name]
        case _: raise ValueError("missing or too many arguments")

line.serve(do)
