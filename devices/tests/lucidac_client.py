"""The maker's client against the twin of the LUCIDAC (anchor: third-party-client).

    pip install lucipy            # needs numpy and scipy
    cargo run -- twin 'lucidac?link=tcp&noise=0' --tcp 15733
    python devices/tests/lucidac_client.py tcp://127.0.0.1:15733

Identifies the twin, reads back what was set, gets the errors that the firmware documents, and runs three circuits: a ramp, an oscillator and a square.
The readings are compared with the client's own simulation of the same circuit. Bounds: half a step of a reading (0.5e-3 and 1.25/16383), twelve bits
of factors and initial conditions (1.01/4096 and 1/4096), and the tolerance of the simulation, which is set to 1e-9.
"""

import sys

import numpy as np
from lucipy import LUCIDAC, Circuit, Simulation
from lucipy.synchc import RemoteError

READING = 0.5e-3 + 1.25 / 16383
FACTOR = 1.01 / 4096
INITIAL = 1 / 4096


def ramp():
    c = Circuit()
    i = c.int(ic=1)
    c.connect(c.const(), i, weight=-1)
    c.measure(i)
    return c


def oscillator():
    c = Circuit()
    i0, i1 = c.int(ic=0.9), c.int(ic=0)
    c.connect(i0, i1, weight=0.5)
    c.connect(i1, i0, weight=-0.5)
    c.measure(i0)
    c.measure(i1)
    return c


def square():
    c = Circuit()
    i, m = c.int(ic=-0.8), c.mul()
    c.connect(i, m.a)
    c.connect(i, m.b)
    c.connect(m, i, weight=0.9)
    c.measure(i)
    c.measure(m)
    return c


def compare(hc, name, circuit, channels, bound):
    """Runs 200 us with a sample every 10 us; the client simulates in units of 100 us."""
    hc.reset_circuit()
    hc.set_circuit(circuit)
    hc.set_daq(num_channels=channels, sample_rate=100_000)
    hc.run_config.streaming = True
    hc.set_run(halt_on_overload=False, ic_time=100_000, op_time=200_000)
    hardware = np.array(hc.start_run().data())
    assert hardware.shape == (21, channels), hardware.shape
    simulation = Simulation(circuit)
    solved = simulation.solve_ivp(2, dense_output=True, rtol=1e-9, atol=1e-12)
    simulated = np.array([simulation.adc_values(s) for s in solved.sol(np.linspace(0, 2, 21)).T])
    worst = np.abs(hardware - simulated).max()
    print(f"{name:<11} {worst:.2e} (bound {bound:.2e})")
    assert worst <= bound, (name, worst, bound)


def refused(hc, code, kind, message):
    try:
        hc.query(kind, message)
    except RemoteError as error:
        assert error.code == code, (kind, error.code, code)
        return
    raise AssertionError(f"{kind} {message} was taken")


def main():
    hc = LUCIDAC(sys.argv[1] if len(sys.argv) > 1 else "tcp://127.0.0.1:15733")
    mac = hc.get_mac()
    assert "/M0" in hc.get_entities()[mac]["/0"]
    assert hc.ping()["micros"] > 0 and hc.sys_ident()["mac"] == mac

    wanted = oscillator().generate()
    hc.set_circuit(wanted)
    got = hc.get_circuit()["config"]["/0"]
    for block in ("/C", "/I", "/M0"):
        assert got[block] == wanted["/0"][block], block
    assert got["/U"]["outputs"] == wanted["/0"]["/U"]["outputs"]

    cluster = [mac, "0"]
    refused(hc, 399, "set_circuit", {"entity": cluster + ["C"], "config": {"elements": {"0": 1.5}}})
    refused(hc, 399, "set_circuit", {"entity": cluster + ["M0"], "config": {"elements": {"0": {"ic": 2.0}}}})
    refused(hc, 398, "set_circuit", {"entity": cluster + ["U"], "config": {"nonsense": 1}})
    refused(hc, 403, "set_circuit", {"entity": ["00-00-00-00-00-00"], "config": {}})
    refused(hc, 910, "manual_mode", {"to": "nowhere"})
    refused(hc, -10, "nonsense", {})

    # two time units: factors act for that long, on signals of at most one
    compare(hc, "ramp", ramp(), 1, READING + INITIAL + 2 * FACTOR)
    compare(hc, "oscillator", oscillator(), 2, READING + 2 * INITIAL + 2 * 2 * FACTOR)
    # a difference shrinks as y decays, and y squared reads it doubled; three factors
    compare(hc, "square", square(), 2, READING + 2 * (INITIAL + 2 * 3 * FACTOR))

    # by hand, and the slow way without streaming
    hc.set_circuit(ramp())
    hc.manual_mode("ic")
    reading = hc.one_shot_daq()["data"][0]
    assert abs(reading + 1) <= READING, reading
    hc.run_config.streaming = False
    hc.set_run(op_time=150_000)
    slow = np.array(hc.start_run().data())
    assert slow.shape == (10, 1), slow.shape
    hc.close()
    print("all is well")


main()
