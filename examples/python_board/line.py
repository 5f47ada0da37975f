"""The device's end of a line that speaks as docs/board-protocol.md has it, for a device of your own: line.serve(do).

do(name, numbers, data) takes a command in capitals, its whole numbers, and its block, or None where it has none. It gives the answer of
a query, and None for a command; it raises any error of numbers, sizes or keys for what it refuses, and has then changed nothing. The
queue of errors is kept here. The line is one that loses nothing: standard input and output, or with --tcp PORT one client after the other.
"""
import contextlib, re, socket, sys

BLOCK = 65536  # the most bytes of a block
errors = []

def block(data):
    return b"#%d%d%b" % (len(str(len(data))), len(data), data)

def receive(source):  # a message: its words, and its block, in which LF may stand
    line = source.readline()
    if not line.endswith(b"\n"):
        raise EOFError
    text, mark, data = line.partition(b"#")
    if not mark:
        return text, None
    start = 1 + int(re.match(b"[1-9]", data)[0])
    end = start + int(re.fullmatch(b"[0-9]+", data[1:start])[0])
    if end > 2 * BLOCK:  # this host is not to be understood any more
        raise EOFError
    data += source.read(max(0, end - len(data)))
    if (data[end:] or source.readline()) not in (b"\n", b"\r\n"):
        raise ValueError("something stands behind the block")
    return text, data[start:end]

def perform(do, text, data):
    name, _, rest = text.upper().strip().partition(b" ")
    fields = [field.strip() for field in rest.split(b",")]
    # a block follows a comma, or stands alone
    if (not rest or data is not None) and fields.pop() or not all(map(bytes.isdigit, fields)):
        raise ValueError("a whole number belongs there")
    match name, fields, data:
        case b"", _, None: return None
        case b"*CLS", [], None: return errors.clear()
        case b"*OPC?", [], None: return b"1"
        case b"SYST:ERR?", [], None: return b'%d,"Refused"' % errors.pop(0) if errors else b'0,"No error"'
    return do(name, [int(field) for field in fields], data)

def listen(do, source, out):
    while True:
        try:
            answer = perform(do, *receive(source))
            out.write(b"" if answer is None else answer + b"\n")
            out.flush()
        except (ArithmeticError, LookupError, MemoryError, TypeError, ValueError):
            errors[7:] = [-350] if errors[7:] else [-200]
        except EOFError:
            return

def serve(do):
    if sys.argv[1:2] != ["--tcp"]:
        return listen(do, sys.stdin.buffer, sys.stdout.buffer)
    with socket.create_server(("127.0.0.1", int(sys.argv[2]))) as listener:
        while True:
            with contextlib.suppress(OSError), listener.accept()[0].makefile("rwb") as stream:
                listen(do, stream, stream)
