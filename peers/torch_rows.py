"""The row C3 in torch, compiled: `torch_rows.py C3 THREADS REPEATS`, one line of JSON."""
import json
import os
import statistics
import sys
import time

row, threads, repeats = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
if row != "C3":
    sys.exit(0)
os.sched_setaffinity(0, set(sorted(os.sched_getaffinity(0))[:threads]))
os.environ["OMP_NUM_THREADS"] = str(threads)

import torch  # noqa: E402

torch.set_num_threads(threads)
torch.set_grad_enabled(False)

COUNT, TICKS = 1_000_000, 100
drive = 3.0 * torch.rand(COUNT)


@torch.compile
def tick(v, spikes):
    v = v + 0.05 * (drive - v)
    z = v > 1.0
    return torch.where(z, 0.0, v), spikes + z.float()


def population():
    v, spikes = torch.zeros(COUNT), torch.zeros(COUNT)
    for _ in range(TICKS):
        v, spikes = tick(v, spikes)


for _ in range(3):
    population()
times = []
for _ in range(repeats):
    start = time.perf_counter()
    population()
    times.append(1e3 * (time.perf_counter() - start))
line = {"row": "C3", "peer": f"torch.compile {torch.__version__}", "threads": threads}
print(json.dumps({**line, "median_ms": statistics.median(times), "min_ms": min(times)}))
