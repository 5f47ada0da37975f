"""A board of docs/board-protocol.md in Python: board.py on standard input and output, board.py --tcp PORT on 127.0.0.1."""
import contextlib, socket, sys
import numpy as np

memory, program, errors, NOBODY = np.zeros(4096, "<f4"), [0] * 6, [], 65535
ANSWERS = {b"*IDN?": b"isoform,python board,0,1", b"*OPC?": b"1", b"SYST:VERS?": b"1", b"SYST:CAP?":
           b"NUM F32;CELLS 4096;CODE 4096;BLOCK 65536;RANGE -1000000,1000000;FUNC isoform.lif/1 1 1 5 1;"
           b"OPS COPY,SUM,NEURON,LINEAR;MODES 0;CHECK 0"}

def cells(m, first, count):
    if first + count > 4096: raise IndexError("outside the memory")
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

def block(data):
    return b"#%d%d%b" % (len(str(data.nbytes)), data.nbytes, data.tobytes())

def do(name, numbers, data):  # gives the answer of a query; an exception changes nothing
    match name, numbers:
        case b"*RST", []: program[:], memory[:] = [0] * 6, 0
        case b"*CLS", []: errors.clear()
        case b"SYST:ERR?", []: return b'%d,"Refused"' % errors.pop(0) if errors else b'0,"No error"'
        case b"PROG:DATA", []:
            code = np.frombuffer(data, "<u2").tolist()
            tick(memory.copy(), code, 0)
            program[:] = code
        case b"MEM:DATA", [first]: cells(memory, first, len(data) // 4)[:] = np.frombuffer(data, "<f4")
        case b"MEM:DATA?", [first, count]: return block(cells(memory, first, count))
        case b"RUN?", [ticks, 0] if 4 * ticks * (program[1] + program[3]) <= 65536:
            rows = [tick(memory, program, row) for row in np.frombuffer(data, "<f4").reshape(ticks, program[1])]
            return b"%d,0,%b" % (ticks, block(np.array(rows, "<f4")))
        case _: return ANSWERS[name]

def serve(source, out):
    for line in iter(source.readline, b""):
        try:
            text, mark, data = line.partition(b"#")
            if mark:  # LF may stand in a block
                start = 1 + int(data[:1])
                end = start + int(data[1:start])
                data += source.read(max(0, end + 1 - len(data)))
                text, data = text + data[end:], data[start:end]
            name, _, rest = text.upper().strip().partition(b" ")
            numbers = [int(b"0" + field.strip()) for field in rest.split(b",") if field.strip()]
            answer = name and do(name, numbers, data if mark else None)
            out.write(answer + b"\n" if answer else b"")
            out.flush()
        except (LookupError, TypeError, ValueError):
            errors[7:] = [-350] if errors[7:] else [-200]

if sys.argv[1:2] == ["--tcp"]:
    listener = socket.create_server(("127.0.0.1", int(sys.argv[2])))
    while True:
        with contextlib.suppress(OSError), listener.accept()[0].makefile("rwb") as stream: serve(stream, stream)
serve(sys.stdin.buffer, sys.stdout.buffer)
