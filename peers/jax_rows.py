"""The rows C1, C2 and C3 in jax: `jax_rows.py ROW THREADS REPEATS`, one line of JSON each.

The work is the one that `backends/cpu/benches/rows.rs` does: same sizes, same rates, same outputs.
"""
import json
import os
import statistics
import sys
import time

row, threads, repeats = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
os.sched_setaffinity(0, set(sorted(os.sched_getaffinity(0))[:threads]))
os.environ["OMP_NUM_THREADS"] = str(threads)

import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402

KEY = jax.random.PRNGKey(0)


def measure(name, run):
    for _ in range(3):
        run()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        run()
        times.append(1e3 * (time.perf_counter() - start))
    line = {"row": name, "peer": f"jax {jax.__version__}", "threads": threads}
    print(json.dumps({**line, "median_ms": statistics.median(times), "min_ms": min(times)}), flush=True)


def fire(v, drive, keep, gain):
    """One tick of a leaky neuron that is reset to nought: the membrane and the spike."""
    v = keep * v + gain * drive
    z = v > 1.0
    return jnp.where(z, 0.0, v), z


def c1():
    ticks, batch, width = 1000, 32, 512
    x = (jax.random.uniform(KEY, (ticks, batch, width)) < 0.1).astype(jnp.float32)
    w = 0.1 * jax.random.normal(KEY, (width, width))

    @jax.jit
    def layer(x, w):
        def tick(v, drive):
            v, z = fire(v, drive, 0.95, 0.05)
            return v, z.astype(jnp.float32)

        return jax.lax.scan(tick, jnp.zeros((batch, width)), jnp.einsum("tbi,io->tbo", x, w))[1]

    measure("C1", lambda: layer(x, w).block_until_ready())


def c2(batch):
    ticks, inputs, hidden, outputs = 256, 12, 38, 7
    x = (jax.random.uniform(KEY, (ticks, batch, inputs)) < 0.1).astype(jnp.float32)
    a = 0.3 * jax.random.normal(KEY, (inputs, hidden))
    r = 0.1 * jax.random.normal(KEY, (hidden, hidden))
    b = 0.3 * jax.random.normal(KEY, (hidden, outputs))

    @jax.jit
    def network(x):
        def tick(carry, x):
            i, v, z, j, u, count = carry
            i = 0.55 * i + x @ a + z @ r
            v, fired = fire(v, i, 0.9, 1.0)
            z = fired.astype(jnp.float32)
            j = 0.5 * j + z @ b
            u, fired = fire(u, j, 0.55, 1.0)
            return (i, v, z, j, u, count + fired), None

        def zeros(width):
            return jnp.zeros((batch, width))

        start = (zeros(hidden), zeros(hidden), zeros(hidden), zeros(outputs), zeros(outputs), zeros(outputs))
        return jax.lax.scan(tick, start, x)[0][-1]

    measure(f"C2 batch {batch}", lambda: network(x).block_until_ready())


def c3(unroll):
    count = 1_000_000
    drive = 3.0 * jax.random.uniform(KEY, (count,))

    @jax.jit
    def population(drive):
        def tick(carry, _):
            v, spikes = carry
            v, z = fire(v, drive, 0.95, 0.05)
            return (v, spikes + z), None

        zero = jnp.zeros_like(drive)
        return jax.lax.scan(tick, (zero, zero), None, length=100, unroll=unroll)[0]

    measure("C3", lambda: population(drive)[0].block_until_ready())


if row == "C1":
    c1()
elif row == "C2":
    c2(1)
    c2(64)
elif row == "C3":
    c3(1)
    c3(10)
else:
    sys.exit(f"jax has no row {row}; it has C1, C2 and C3")
