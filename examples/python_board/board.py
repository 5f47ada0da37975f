"""A board of docs/board-protocol.md in plain Python, to be copied into another language or onto another machine.

board.py              on standard input and output
board.py --tcp PORT   on 127.0.0.1
"""
import os, re, select, socket, struct, sys
from array import array

CELLS, CODE, BLOCK, NOBODY = 4096, 4096, 65536, 65535
CAPABILITIES = (f"NUM F32;CELLS {CELLS};CODE {CODE};BLOCK {BLOCK};RANGE -1000000,1000000;"
                "FUNC isoform.lif/1 1 1 5 1,isoform.li/1 1 1 3 1;OPS COPY,SUM,NEURON,LINEAR;MODES 1;CHECK 0")
TEXTS = {0: "No error", -100: "Message too long", -109: "Message incomplete", -113: "Unknown command", -161: "Invalid block",
         -222: "Argument out of range", -225: "Out of memory", -285: "Invalid operations", -350: "Error queue overflow"}
NO_PROGRAM = [0] * 6
memory, program, errors = array("f", bytes(4 * CELLS)), NO_PROGRAM, []

class Refused(Exception):
    """A request that changes nothing, with the number of the error."""

def require(condition, error):
    if not condition:
        raise Refused(error)

def f32(number):  # every product and every sum is rounded to single precision at once
    return array("f", [number])[0]

# The vector machine ---------------------------------------------------------------------------------------------------------------

def neuron(m, f, flags, x, s, c, p):  # one tick of one channel of function f: changes the state, gives the output
    before = m[s]
    flowed = m[s] = f32(f32(m[c + 2] + f32(m[c + 1] * x)) + f32(m[c] * before))
    if f == 1:  # isoform.li/1 shows its state; what follows is isoform.lif/1
        return flowed
    tested, threshold, reset = before if flags & 1 else flowed, m[p + 3], m[p + 4]
    fired = tested >= threshold if flags & 2 else tested > threshold
    if fired:
        m[s] = f32(flowed + f32(reset - threshold)) if flags & 4 else reset
    return float(fired)

def tick(m, words):  # does all operations once, and tells whether they end where they should
    code = iter(words)
    take = lambda count: [next(code) for _ in range(count)]
    for operation in code:
        if operation == 0:
            return not list(code)
        elif operation == 1:
            to, source, n = take(3)
            for i in range(n):
                m[to + i] = m[source + i]
        elif operation == 2:
            to, n, k = take(3)
            terms = take(k)
            for i in range(n):
                total = m[terms[0] + i] if terms else 0.0
                for term in terms[1:]:
                    total = f32(total + m[term + i])
                m[to + i] = total
        elif operation == 3:
            f, flags, n, x, s, c, p, y = take(8)
            require(f < 2 and flags < 8, -285)
            for i in range(n):
                z = neuron(m, f, flags, 0.0 if x == NOBODY else m[x + i], s + i, c + 3 * i, p + (5, 3)[f] * i)
                if y != NOBODY:
                    m[y + i] = z
        elif operation == 4:
            to, source, rows, columns, w, b = take(6)
            for r in range(rows):
                total = 0.0 if b == NOBODY else m[b + r]
                for c in range(columns):
                    total = f32(total + f32(m[w + r * columns + c] * m[source + c]))
                m[to + r] = total
        else:
            return False
    return False

def load(words):
    global program
    require(len(words) <= CODE, -225)
    try:  # a tick on a copy fails where it reaches outside; which cells it reaches depends on no number
        first, inputs, last, outputs, nought = words[:5]
        fits = (not inputs or first + inputs <= CELLS) and (not outputs or last + outputs <= CELLS)
        require(fits and nought == 0 and tick(memory[:], words[5:]), -285)
    except (IndexError, StopIteration, ValueError):
        raise Refused(-285) from None
    program = words

def run(ticks, mode, values):
    first, inputs, last, outputs = program[:4]
    require(mode < 6, -222)
    require(len(values) == inputs * (1 if mode & 1 else ticks), -222)
    width = (outputs + 7) // 8 if mode & 2 else 4 * outputs
    require(4 * len(values) + width * (1 if mode & 4 else ticks) <= BLOCK, -225)
    rows, counts = bytearray(), [0] * outputs
    for t in range(ticks):
        at = 0 if mode & 1 else t * inputs
        memory[first:first + inputs] = array("f", values[at:at + inputs])
        tick(memory, program[5:])
        y = memory[last:last + outputs]
        if mode & 2:
            rows += sum((value != 0) << i for i, value in enumerate(y)).to_bytes(width, "little")
        elif mode & 4:
            counts = [count + (value != 0) for count, value in zip(counts, y)]
        else:
            rows += struct.pack(f"<{outputs}f", *y)
    return b"%d,0," % ticks + block_of(struct.pack(f"<{outputs}I", *counts) if mode & 4 else rows)

# Commands -------------------------------------------------------------------------------------------------------------------------

def block_of(data):
    return b"#%d%d%b" % (len(str(len(data))), len(data), data)

def arguments(text, block, form):  # form: n for a number; H or f for the words or numbers of a block, which comes last
    fields = [field.strip() for field in text.split(",")]
    wanted = form.rstrip("Hf")
    require(len(fields) >= len(form) and all(re.fullmatch("-?[0-9]+", field) for field in fields[:len(wanted)]), -109)
    require(all(0 <= int(field) < 2**32 for field in fields[:len(wanted)]), -222)
    numbers = [int(field) for field in fields[:len(wanted)]]
    if wanted == form:
        require(len(fields) == len(form) and block is None, -109)
        return numbers
    require(block is not None or fields[-1], -109)
    size = struct.calcsize("<" + form[-1])
    require(len(fields) == len(form) and not fields[-1] and block is not None and len(block) % size == 0, -161)
    return numbers + [list(struct.unpack(f"<{len(block) // size}{form[-1]}", block))]

def do(text, block):  # the answer, or None for a command
    global program
    name, _, rest = text.strip().partition(" ")
    name, simple = name.upper(), not rest.strip() and block is None
    if name == "*IDN?" and simple:
        return b"isoform,python board,0,1"
    elif name == "*RST" and simple:
        program, memory[:] = NO_PROGRAM, array("f", bytes(4 * CELLS))
    elif name == "*CLS" and simple:
        errors.clear()
    elif name in ("*OPC?", "SYST:VERS?") and simple:
        return b"1"
    elif name == "SYST:ERR?" and simple:
        error = errors.pop(0) if errors else 0
        return b'%d,"%b"' % (error, TEXTS[error].encode())
    elif name == "SYST:CAP?" and simple:
        return CAPABILITIES.encode()
    elif name == "PROG:DATA":
        load(*arguments(rest, block, "H"))
    elif name == "MEM:DATA":
        first, values = arguments(rest, block, "nf")
        require(first + len(values) <= CELLS, -222)
        memory[first:first + len(values)] = array("f", values)
    elif name == "MEM:DATA?":
        first, count = arguments(rest, block, "nn")
        require(first + count <= CELLS, -222)
        return block_of(struct.pack(f"<{count}f", *memory[first:first + count]))
    elif name == "RUN?":
        return run(*arguments(rest, block, "nnf"))
    elif name:
        raise Refused(-113)

# The line -------------------------------------------------------------------------------------------------------------------------

def receive(source):  # one message: its words and its block
    def take(count, patience=0.1):
        data = b""
        while len(data) < count:
            require(select.select([source], [], [], patience)[0], -109)
            part = os.read(source, count - len(data))
            if not part:
                raise EOFError
            data += part
        return data

    def up_to(ends, text=b""):
        while text[-1:] not in ends:
            text += take(1)
        return text

    text = up_to(b"\n#", take(1, None))  # nobody waits for the first byte of a message
    if text.endswith(b"\n"):
        return text[:-1].decode("latin-1"), None
    digits = take(1)
    length = take(int(digits)) if digits in b"123456789" else digits
    if digits == b"0" or not length.isdigit():
        up_to(b"\n", length)
        raise Refused(-161)
    kept = int(length) <= BLOCK
    block = take(int(length)) if kept else b"".join(take(1)[:0] for _ in range(int(length)))
    require(up_to(b"\n", take(1)) in (b"\n", b"\r\n"), -161)
    require(kept, -100)
    return text[:-1].decode("latin-1"), block

def serve(source, out):
    while True:
        try:
            answer = do(*receive(source))
            if answer is not None:
                out.write(answer + b"\n")
                out.flush()
        except Refused as refused:
            errors.append(refused.args[0])
            errors[7:] = errors[7:8] if len(errors) <= 8 else [-350]
        except (EOFError, ConnectionError):
            return

if sys.argv[1:2] == ["--tcp"]:
    with socket.create_server(("127.0.0.1", int(sys.argv[2]))) as listener:
        while True:
            connection, _ = listener.accept()
            with connection, connection.makefile("wb") as out:
                serve(connection.fileno(), out)
else:
    serve(sys.stdin.fileno(), sys.stdout.buffer)
