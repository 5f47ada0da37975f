"""The rows C4 and C6 beside their peers: `aihwkit_rows.py ROW THREADS REPEATS`, one line of JSON each.

C4 is a crossbar in aihwkit, with converters of eight bits and the noise of bit lines; C4 1/f has in addition the read noise of phase-change cells,
without its spectrum and without drift, which need work between calls. C6 is a mesh column by column in numpy, without noise.
"""
import json
import os
import statistics
import sys
import time
import warnings

row, threads, repeats = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
warnings.filterwarnings("ignore")
os.sched_setaffinity(0, set(sorted(os.sched_getaffinity(0))[:threads]))
for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[name] = str(threads)


def measure(name, peer, run, count):
    for _ in range(3):
        run()
    times = []
    for _ in range(count):
        start = time.perf_counter()
        run()
        times.append(1e3 * (time.perf_counter() - start))
    line = {"row": name, "peer": peer, "threads": threads}
    print(json.dumps({**line, "median_ms": statistics.median(times), "min_ms": min(times)}), flush=True)


def c4():
    import aihwkit
    import torch
    from aihwkit.nn import AnalogLinear
    from aihwkit.simulator.configs import InferenceRPUConfig, TorchInferenceRPUConfig
    from aihwkit.simulator.parameters.enums import WeightNoiseType

    torch.set_num_threads(threads)
    torch.set_grad_enabled(False)
    lines = 1024

    def layer(kind, read):
        config = kind()
        forward = config.forward
        forward.is_perfect, forward.inp_bound, forward.out_bound = False, 1.0, 10.0
        forward.inp_res, forward.out_res = 1 / 254, 1 / 510
        forward.inp_noise, forward.out_noise, forward.w_noise = 0.0, 0.04, 0.0175 if read else 0.0
        if read:
            forward.w_noise_type = WeightNoiseType.PCM_READ
        config.mapping.max_input_size = config.mapping.max_output_size = lines
        made = AnalogLinear(lines, lines, bias=False, rpu_config=config)
        made.eval()
        return made

    for batch, share in ((1, 20), (32, 5), (256, 1)):
        x = 2 * torch.rand(batch, lines) - 1
        for read, name in ((False, "C4"), (True, "C4 1/f")):
            # the tile in torch has no read noise
            for kind in (InferenceRPUConfig,) if read else (InferenceRPUConfig, TorchInferenceRPUConfig):
                peer = f"aihwkit {aihwkit.__version__} {kind.__name__[:-9]}"
                try:
                    made = layer(kind, read)
                    measure(f"{name} batch {batch}", peer, lambda: made(x), share * repeats)
                except Exception as e:
                    print(f"NOT RUN: {peer} for {name}: {e!r}"[:200], file=sys.stderr)


def c6():
    import numpy as np

    modes = 64
    rng = np.random.default_rng(0)
    columns = []
    for column in range(modes):
        first = column % 2
        count = (modes - first) // 2
        theta, phi = rng.uniform(0, np.pi, count), rng.uniform(0, 2 * np.pi, count)
        s, c, e = np.sin(theta / 2), np.cos(theta / 2), 1j * np.exp(1j * theta / 2)
        element = np.stack([np.exp(1j * phi) * s, c, np.exp(1j * phi) * c, -s]) * e
        columns.append((slice(first, first + 2 * count, 2), slice(first + 1, first + 2 * count, 2), element.astype(np.complex64)))
    for batch, share in ((1, 20), (64, 10), (1024, 2)):
        x = (rng.standard_normal((modes, batch)) + 1j * rng.standard_normal((modes, batch))).astype(np.complex64)

        def mesh():
            y = x.copy()
            for upper, lower, t in columns:
                a, b = y[upper].copy(), y[lower]
                y[upper], y[lower] = t[0][:, None] * a + t[1][:, None] * b, t[2][:, None] * a + t[3][:, None] * b
            return y

        # the peer has no noise: it stands beside both
        for row in ("C6", "C6 noisy"):
            measure(f"{row} batch {batch}", f"numpy {np.__version__}", mesh, share * repeats)


{"C4": c4, "C6": c6}[row]()
