"""Programs on the maker's emulator of the LUCIDAC (anchor: third-party-emulator), over TCP and over a serial port that socat makes.

    pip install lucipy            # needs numpy and scipy
    apt-get install socat
    cargo build -p isoform-devices --example analog
    python devices/tests/lucidac_emulator.py target/debug/examples/analog

The emulator integrates at a relative tolerance of 1e-3. Against the truth: a leaky integrator is within 5e-4 of full scale, an oscillator within 3e-3 over a
period. Against a reference at that same tolerance, by the same method: within 1e-6, for chaos too; readings come as double precision and signals are
single. Lorenz's system from row to row is within twice what that reference is off by itself; its moments are those of the truth within four standard errors:
the one-sided integral time of the correlations of x, y, z and of their squares is at most 0.68 (measured over 2000 units of time at a tolerance of 1e-8), so
that a run of 80 units holds 58 independent samples or more.
"""

import os
import re
import subprocess
import sys
import time

PORT = 15732
EMULATOR = f"from lucipy.simulator import Emulation; Emulation(bind_addr='127.0.0.1', bind_port={PORT}).serve_blocking()"


def wait(condition, what):
    # a busy machine imports scipy for many seconds
    end = time.monotonic() + 60
    while time.monotonic() < end:
        if condition():
            return
        time.sleep(0.1)
    raise TimeoutError(what)


def listens():
    # without a connection, which the emulator would serve until it breaks
    with open("/proc/net/tcp", encoding="ascii") as table:
        return any(f":{PORT:04X}" in line.split()[1] and line.split()[3] == "0A" for line in list(table)[1:])


def check(text):
    errors = [float(e) for e in re.findall(r"(\d\.\d\de-?\d+)$", text, re.M)]
    names = ["LI", "oscillator", "oscillator, same", "vdp", "vdp forced", "vdp, same", "lorenz forced", "lorenz free",
             "lorenz free, same", "lorenz 1000, same", "reference forced"]
    found = dict(zip(names, errors, strict=True))
    assert "emulator of lucipy" in text and "inverts initial conditions as measured" in text
    assert found["LI"] <= 5e-4 and found["oscillator"] <= 3e-3
    for name in names:
        if name.endswith("same"):
            assert found[name] <= 1e-6, (name, found[name])
    assert found["lorenz forced"] <= 2 * found["reference forced"], found
    moments = re.findall(r"mean (-?[\d.]+) \((-?[\d.]+)\), deviation ([\d.]+) \(([\d.]+)\)", text)
    assert len(moments) == 3
    for numbers in moments:
        mean, true_mean, deviation, true_deviation = map(float, numbers)
        # both are finite samples; the variance of a deviation is half that of a mean
        assert abs(mean - true_mean) <= 4 * true_deviation * (2 / 58) ** 0.5, numbers
        assert abs(deviation - true_deviation) <= 4 * true_deviation * (2 / (2 * 58)) ** 0.5, numbers


def main():
    analog = sys.argv[1] if len(sys.argv) > 1 else "target/debug/examples/analog"
    link = f"/tmp/lucidac_{os.getpid()}"
    started = []
    try:
        started.append(subprocess.Popen([sys.executable, "-c", EMULATOR], stdout=subprocess.DEVNULL))
        wait(listens, "the emulator")
        tcp = subprocess.run([analog, f"tcp:127.0.0.1:{PORT}?device=lucidac"], check=True, stdout=subprocess.PIPE, text=True)
        check(tcp.stdout)
        started.append(subprocess.Popen(["socat", f"PTY,link={link},raw,echo=0", f"TCP:127.0.0.1:{PORT}"]))
        wait(lambda: os.path.exists(link), "the serial port")
        pty = subprocess.run([analog, f"serial:{link}?device=lucidac"], check=True, stdout=subprocess.PIPE, text=True)
        check(pty.stdout)
        numbers = lambda text: text.split("\n", 1)[1]
        assert numbers(tcp.stdout) == numbers(pty.stdout)
        print(tcp.stdout + pty.stdout + "all is well")
    finally:
        for process in reversed(started):
            process.terminate()
            process.wait()


main()
