"""The official client of the Qontrol Q8 (PyPI `qontrol` 1.1.20) against the twin of the heaters.

Anchor: third-party-client.

    pip install qontrol
    cargo run -- twin 'photonic?modes=4'     # prints the paths of the heaters and of the meter
    python devices/tests/qontrol_client.py /dev/pts/N
"""

import sys

import qontrol

FAILURES = []


def check(what, seen, wanted):
    right = seen == wanted or (isinstance(wanted, float) and seen is not None and abs(seen - wanted) <= 0.0006)
    print(("ok   " if right else "FAIL ") + f"{what}: {seen}" + ("" if right else f" instead of {wanted}"))
    if not right:
        FAILURES.append(what)


def errors_of(q):
    seen = [(e["id"], e["ch"]) for e in q.log if e["type"] == "err"]
    q.log.clear()
    return seen


def exercise(path, binary):
    mode = "binary" if binary else "text"
    # the library's tenth of a second is too short for a twin on a busy machine; what is refused waits for all of it
    q = qontrol.QXOutput(serial_port_name=path, response_timeout=1.0, binary_mode=binary)
    # errors are collected, where the client would end the program
    q.log_handler = lambda entry: None
    check(f"{mode}: identity", q.device_id, "Q8iv-00A1")
    check(f"{mode}: modules", [d["device_id"] for d in q.chain], ["Q8iv-00A1", "Q8iv-00A2", "Q8iv-00A3"])
    check(f"{mode}: channels", q.n_chs, 24)
    check(f"{mode}: full scales", (q.v_full, q.i_full), (12.0, 24.0))
    q.log.clear()
    q.vmax[3] = 10
    check(f"{mode}: limit", q.vmax[3], 10.0)
    q.v[3] = 1.5
    check(f"{mode}: voltage", q.v[3], 1.5)
    check(f"{mode}: current of 1 kOhm", q.i[3], 1.5)
    q.i[4] = 2.0
    check(f"{mode}: voltage of 2 mA", q.v[4], 2.0)
    q.v[:] = 0.5
    check(f"{mode}: all", [round(v, 3) for v in q.v[:]], [0.5] * 24)
    q.v[:] = [0.1 * k for k in range(24)]
    seen = q.v[:]
    check(f"{mode}: a vector", all(abs(v - 0.1 * k) <= 0.0011 for k, v in enumerate(seen)), True)
    check(f"{mode}: no errors", errors_of(q), [])
    # beyond the limit that was set, and, where a word can say it, beyond full scale
    q.v[3] = 11.0
    check(f"{mode}: over-voltage", errors_of(q), [(1, 3)])
    if not binary:
        q.v[2] = 13.0
        check(f"{mode}: beyond full scale", errors_of(q), [(1, 2)])
        q.i[2] = 24.5
        check(f"{mode}: over-current", errors_of(q), [(2, 2)])
        q.issue_command("nonsense", operator="?", n_lines_requested=1, target_errors=[])
        check(f"{mode}: unknown command", errors_of(q), [(10, 0)])
    check(f"{mode}: kept", round(q.v[3], 1), 0.3)
    q.vmax[3] = 12
    q.v[:] = 0
    q.close()


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    for binary in (False, True):
        exercise(sys.argv[1], binary)
    if FAILURES:
        sys.exit(f"{len(FAILURES)} checks failed")
    print("the official client and the twin understand each other")


if __name__ == "__main__":
    main()
