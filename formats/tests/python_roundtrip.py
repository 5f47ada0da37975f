"""Compares files written by Python nir with their copies made by the Rust reader and writer.

    python python_roundtrip.py PATH_TO_NIR_COPY

PATH_TO_NIR_COPY is the built example `nir_copy`. For each graph: Python writes it, nir_copy reads
and writes it, Python reads both files, and every node, edge, parameter (values, shape, dtype) and
metadata entry is compared. Runs with nir 1.0.4 and with the newest version, and prints what it
checked. Any difference ends it with exit code 1.
"""

import pathlib
import subprocess
import sys
import tempfile
from importlib.metadata import version

import h5py
import nir
import numpy as np

VERSION = version("nir")
NEW = hasattr(nir, "CubaLI")
COMPAT = [] if NEW else ["--nir-compat", "1.0.4"]
counts = {"files": 0, "nodes": 0, "arrays": 0, "edges": 0, "metadata": 0, "refusals": 0}


# ---------------------------------------------------------------------------------------------
# graphs


def metadata():
    """Everything that Python nir can store beside a node."""
    return {
        "text": "grüße, 世界",
        "empty": "",
        "int": 3,
        "float": 0.1,
        "bool": True,
        "list": [1, 2, 3],
        "floats": [0.5, float("nan"), float("inf")],
        "words": ["a", "bc", "déf"],
        "np_f32": np.float32(1.5),
        "array": np.arange(6, dtype=np.float32).reshape(2, 3),
        "flags": np.array([True, False, True]),
        "half": np.array([0.5, -2.0, 65504.0], dtype=np.float16),
        "big_endian": np.array([1, -2], dtype=">i4"),
        "ints": np.array([-(2**63), 2**63 - 1], dtype=np.int64),
        "uints": np.array([2**64 - 1], dtype=np.uint64),
        "bytes": np.array([0, 255], dtype=np.uint8),
        "nested": {"deep": {"deeper": "x", "n": np.zeros((2, 0), dtype=np.float64)}},
        "no_entries": {},
    }


def accepts_metadata(cls):
    return "metadata" in getattr(cls, "__dataclass_fields__", {})


def node(cls, *args, **kwargs):
    """A node with all kinds of metadata, where this version lets the type have any."""
    if accepts_metadata(cls):
        kwargs.setdefault("metadata", metadata())
    made = cls(*args, **kwargs)
    return made


def graph_of(chain, extra_nodes=None, extra_edges=(), **kwargs):
    names = list(chain)
    nodes = dict(chain, **(extra_nodes or {}))
    edges = list(zip(names, names[1:])) + list(extra_edges)
    return nir.NIRGraph(nodes=nodes, edges=edges, **kwargs)


def parameters(rng, dtype, *names, shape=(3,)):
    made = {}
    for name in names:
        value = rng.normal(size=shape)
        if name.startswith("tau"):
            value = np.abs(value) * 1e-2 + 1e-3
        made[name] = value.astype(dtype)
    return made


def element_wise(rng, dtype, shape=(3,)):
    """One node of each type that acts element by element, all of one shape."""
    p = lambda *names: parameters(rng, dtype, *names, shape=shape)
    nodes = {
        "scale": node(nir.Scale, **p("scale")),
        "delay": node(nir.Delay, **p("delay")),
        "threshold": node(nir.Threshold, **p("threshold")),
        "i": node(nir.I, **p("r")),
        "if": node(nir.IF, **p("r", "v_threshold")),
        "li": node(nir.LI, **p("tau", "r", "v_leak")),
        "lif": node(nir.LIF, **p("tau", "r", "v_leak", "v_threshold")),
        "cubalif": node(
            nir.CubaLIF, **p("tau_syn", "tau_mem", "r", "v_leak", "v_threshold", "w_in")
        ),
        "cubalif_scalar_w": node(
            nir.CubaLIF, **p("tau_syn", "tau_mem", "r", "v_leak", "v_threshold"), w_in=2.5
        ),
    }
    if NEW:
        nodes |= {
            "cubali": node(nir.CubaLI, **p("tau_syn", "tau_mem", "r", "v_leak", "w_in")),
            "if_reset": node(nir.IF, **p("r", "v_threshold", "v_reset")),
            "lif_reset": node(nir.LIF, **p("tau", "r", "v_leak", "v_threshold", "v_reset")),
            "cubalif_reset": node(
                nir.CubaLIF,
                **p("tau_syn", "tau_mem", "r", "v_leak", "v_threshold", "v_reset", "w_in"),
            ),
        }
    return nodes


def flat_graph(rng, dtype, shape=(3,)):
    size = np.array(shape)
    chain = {"input": node(nir.Input, size)} | element_wise(rng, dtype, shape)
    chain["output"] = node(nir.Output, size)
    return graph_of(chain, metadata=metadata())


def dense_graph(rng, dtype):
    chain = {
        "input": node(nir.Input, np.array([4])),
        "affine": node(
            nir.Affine,
            weight=rng.normal(size=(3, 4)).astype(dtype),
            bias=rng.normal(size=3).astype(dtype),
        ),
        "lif": node(nir.LIF, **parameters(rng, dtype, "tau", "r", "v_leak", "v_threshold")),
        "linear": node(nir.Linear, weight=rng.normal(size=(2, 3)).astype(dtype)),
        "output": node(nir.Output, np.array([2])),
    }
    recurrent = node(nir.Linear, weight=rng.normal(size=(3, 3)).astype(dtype))
    return graph_of(
        chain, {"recurrent": recurrent}, [("lif", "recurrent"), ("recurrent", "lif")]
    )


def conv2d_graph(rng, dtype, stride, padding, dilation, groups):
    weight = rng.normal(size=(4, 2 // groups, 3, 3)).astype(dtype)
    conv = node(
        nir.Conv2d,
        input_shape=np.array([12, 12]),
        weight=weight,
        stride=stride,
        padding=padding,
        dilation=dilation,
        groups=groups,
        bias=rng.normal(size=4).astype(dtype),
    )
    # With groups the package takes its input shape from the kernel, so the input follows it.
    channels, *_ = conv.input_type["input"]
    out = conv.output_type["output"]
    pooled = np.array([out[0], out[1] // 2, out[2] // 2])
    quarter = np.array([pooled[0], pooled[1] // 2, pooled[2] // 2])
    two, zero = np.array([2, 2]), np.array([0, 0])
    chain = {
        "input": node(nir.Input, np.array([channels, 12, 12])),
        "conv": conv,
        "sum": node(nir.SumPool2d, kernel_size=two, stride=two, padding=zero),
        "avg": node(nir.AvgPool2d, kernel_size=two, stride=two, padding=zero),
        "flatten": node(nir.Flatten, {"input": quarter}, start_dim=0, end_dim=-1),
        "output": node(nir.Output, np.array([int(np.prod(quarter))])),
    }
    return graph_of(chain)


def conv1d_graph(rng, dtype, stride, padding, dilation):
    conv = node(
        nir.Conv1d,
        input_shape=16,
        weight=rng.normal(size=(3, 2, 3)).astype(dtype),
        stride=stride,
        padding=padding,
        dilation=dilation,
        groups=1,
        bias=rng.normal(size=3).astype(dtype),
    )
    out = conv.output_type["output"]
    chain = {
        "input": node(nir.Input, np.array([2, 16])),
        "conv": conv,
        "flatten": node(nir.Flatten, {"input": np.array(out)}, start_dim=0, end_dim=1),
        "output": node(nir.Output, np.array([int(np.prod(out))])),
    }
    return graph_of(chain)


def nested_graph(rng, dtype):
    inner = dense_graph(rng, dtype)
    inner.metadata.update(metadata())
    chain = {
        "in": node(nir.Input, np.array([4])),
        "inner": inner,
        "out": node(nir.Output, np.array([2])),
    }
    middle = graph_of(chain)
    chain = {
        "a": node(nir.Input, np.array([4])),
        "middle": middle,
        "z": node(nir.Output, np.array([2])),
    }
    return graph_of(chain)


def all_nodes(seed):
    """One graph with every node type, for the fixtures."""
    rng = np.random.default_rng(seed)
    f32 = np.float32
    return nir.NIRGraph(
        nodes={
            "input": nir.Input(np.array([3])),
            "flat": flat_graph(rng, f32),
            "output": nir.Output(np.array([3])),
            "input_dense": nir.Input(np.array([4])),
            "dense": dense_graph(rng, np.float64),
            "output_dense": nir.Output(np.array([2])),
            "input_2d": nir.Input(np.array([2, 12, 12])),
            "conv2d": conv2d_graph(rng, f32, (1, 1), (1, 1), (1, 1), 1),
            "output_2d": nir.Output(np.array([4 * 3 * 3])),
            "input_1d": nir.Input(np.array([2, 16])),
            "conv1d": conv1d_graph(rng, f32, 1, "valid", 1),
            "output_1d": nir.Output(np.array([3 * 14])),
        },
        edges=[
            ("input", "flat"),
            ("flat", "output"),
            ("input_dense", "dense"),
            ("dense", "output_dense"),
            ("input_2d", "conv2d"),
            ("conv2d", "output_2d"),
            ("input_1d", "conv1d"),
            ("conv1d", "output_1d"),
        ],
    )


def graphs():
    rng = np.random.default_rng(1)
    for dtype in (np.float32, np.float64, np.float16):
        yield f"element-wise {np.dtype(dtype)}", flat_graph(rng, dtype)
        yield f"dense {np.dtype(dtype)}", dense_graph(rng, dtype)
    yield "element-wise in three dimensions", flat_graph(rng, np.float32, (2, 3, 4))
    yield "nested", nested_graph(rng, np.float32)
    for stride, padding, dilation, groups in [
        ((1, 1), (1, 1), (1, 1), 1),
        ((2, 2), (0, 1), (1, 1), 1),
        (1, "same", 1, 1),
        (1, "valid", 2, 1),
        ((1, 2), 2, (2, 1), 2),
    ]:
        name = f"conv2d stride {stride} padding {padding} dilation {dilation} groups {groups}"
        yield name, conv2d_graph(rng, np.float32, stride, padding, dilation, groups)
    for stride, padding, dilation in [(1, 0, 1), (2, "valid", 1), (1, "same", 2), (1, 3, 2)]:
        if padding == "same" and not NEW:
            print('--  conv1d with padding "same" left out: nir 1.0.4 cannot build it')
            continue
        name = f"conv1d stride {stride} padding {padding} dilation {dilation}"
        yield name, conv1d_graph(rng, np.float32, stride, padding, dilation)
    yield "every type", all_nodes(2)


def recurrent_graph():
    """A small graph with literal values, nested and with a cycle; the fixtures hold it."""
    f32 = lambda *v: np.array(v, dtype=np.float32)
    cell = nir.NIRGraph(
        nodes={
            "input": nir.Input(np.array([2])),
            "lif": nir.LIF(
                tau=f32(2e-3, 3e-3), r=f32(1, 2), v_leak=f32(0, -0.5), v_threshold=f32(1, 0.75)
            ),
            "w": nir.Linear(np.array([[0, 0.5], [-0.25, 0]], dtype=np.float64)),
            "output": nir.Output(np.array([2])),
        },
        edges=[("input", "lif"), ("lif", "w"), ("w", "lif"), ("lif", "output")],
        metadata={"name": "cell", "year": 2024},
    )
    return nir.NIRGraph(
        nodes={"in": nir.Input(np.array([2])), "srnn": cell, "out": nir.Output(np.array([2]))},
        edges=[("in", "srnn"), ("srnn", "out")],
        metadata={"author": "fixture", "nested": {"dt": 1e-3, "flags": np.array([True, False])}},
    )


def data_samples():
    rng = np.random.default_rng(3)
    idx = np.array([[0, 2, 1, -1], [1, 0, -1, -1]])
    time = np.array([[0.0, 1e-3, 2.5e-3, np.inf], [1e-3, 4e-3, np.inf, np.inf]])
    one = lambda **observables: nir.NIRGraphData({"lif": nir.NIRNodeData(observables)})
    return {
        "grid": one(
            spikes=nir.TimeGriddedData(rng.random((2, 5, 3)) > 0.5, 1e-3),
            voltages=nir.TimeGriddedData(rng.normal(size=(2, 5, 3)).astype(np.float32), 1e-3),
        ),
        "events": one(spikes=nir.EventData(idx, time, 3, 5e-3)),
        "valued": one(
            currents=nir.ValuedEventData(
                idx, time, n_neurons=3, t_max=5e-3, value=rng.normal(size=idx.shape)
            )
        ),
    }


# ---------------------------------------------------------------------------------------------
# comparison


class Difference(Exception):
    pass


def same(a, b, where, dtypes=True):
    """Compares two values as Python nir holds them."""
    if isinstance(a, dict):
        if not isinstance(b, dict) or set(a) != set(b):
            raise Difference(f"{where}: {sorted(a)} became {b if not isinstance(b, dict) else sorted(b)}")
        for key in a:
            counts["metadata"] += 1
            same(a[key], b[key], f"{where}.{key}", dtypes)
        return
    if a is None or isinstance(a, str):
        if a != b:
            raise Difference(f"{where}: {a!r} became {b!r}")
        return
    a, b = np.asarray(a), np.asarray(b)
    counts["arrays"] += 1
    if a.shape != b.shape:
        raise Difference(f"{where}: shape {a.shape} became {b.shape}")
    # The byte order of the file is not part of the value.
    if dtypes and a.dtype.newbyteorder("=") != b.dtype.newbyteorder("="):
        raise Difference(f"{where}: {a.dtype} became {b.dtype}")
    equal = np.array_equal(a, b) if a.dtype.kind in "OSUb" else np.array_equal(a, b, equal_nan=True)
    if not equal:
        raise Difference(f"{where}: {a!r} became {b!r}")


def same_node(a, b, where):
    counts["nodes"] += 1
    if type(a) is not type(b):
        raise Difference(f"{where}: {type(a).__name__} became {type(b).__name__}")
    if isinstance(a, nir.NIRGraph):
        if set(a.nodes) != set(b.nodes):
            raise Difference(f"{where}: nodes {sorted(a.nodes)} became {sorted(b.nodes)}")
        if list(map(tuple, a.edges)) != list(map(tuple, b.edges)):
            raise Difference(f"{where}: edges {a.edges} became {b.edges}")
        counts["edges"] += len(a.edges)
        for name in a.nodes:
            same_node(a.nodes[name], b.nodes[name], f"{where}/{name}")
        same(a.metadata, b.metadata, f"{where}.metadata")
        return
    for field in a.__dataclass_fields__:
        x, y = getattr(a, field), getattr(b, field)
        # Derived by the package, in types that vary with the way there.
        same(x, y, f"{where}.{field}", dtypes=field not in ("input_type", "output_type"))


def same_h5(a, b, where=""):
    """Compares the files themselves: names, shapes, dtypes and values."""
    if set(a) != set(b):
        raise Difference(f"{where}: {sorted(a)} became {sorted(b)}")
    for key in a:
        if isinstance(a[key], h5py.Group):
            same_h5(a[key], b[key], f"{where}/{key}")
        elif f"{where}/{key}" != "/version":
            same(a[key][()], b[key][()], f"{where}/{key}")
            if h5py.check_string_dtype(a[key].dtype) != h5py.check_string_dtype(b[key].dtype):
                raise Difference(f"{where}/{key}: {a[key].dtype} became {b[key].dtype}")
    attrs = {k: v for k, v in a.attrs.items()}
    same(attrs, dict(b.attrs.items()), f"{where}@")


def copy(program, source, target, *flags):
    return subprocess.run(
        [program, str(source), str(target), *flags], capture_output=True, text=True
    )


def check(program, folder, name, graph):
    source, target = folder / "source.nir", folder / "target.nir"
    nir.write(source, graph)
    done = copy(program, source, target, *COMPAT)
    if done.returncode != 0 or done.stderr:
        raise Difference(f"nir_copy: {done.returncode} {done.stderr.strip()}")
    with h5py.File(source) as a, h5py.File(target) as b:
        same_h5(a, b)
    same_node(nir.read(source), nir.read(target), "")
    counts["files"] += 1
    print(f"ok  {name}")


def check_identity(program, folder):
    """nir 1.0.8 writes Identity but cannot read it back, so the files are compared."""
    from nir.ir.graph import Identity

    shape = {"input": np.array([3]), "output": np.array([3])}
    chain = {
        "input": nir.Input(np.array([3])),
        "identity": Identity(shape, metadata=metadata()),
        "output": nir.Output(np.array([3])),
    }
    graph = graph_of(chain, type_check=False)
    source, target = folder / "source.nir", folder / "target.nir"
    nir.write(source, graph)
    done = copy(program, source, target)
    if done.returncode != 0:
        raise Difference(f"nir_copy: {done.stderr.strip()}")
    with h5py.File(source) as a, h5py.File(target) as b:
        same_h5(a, b)
    counts["files"] += 1
    print("ok  identity (compared as files; this version of nir cannot read it)")
    refused(program, source, target, 'node "identity"', "identity for 1.0.4")


def refused(program, source, target, expected, name):
    done = copy(program, source, target, "--nir-compat", "1.0.4")
    if done.returncode == 0 or expected not in done.stderr:
        raise Difference(f"{name}: not refused as expected: {done.returncode} {done.stderr}")
    counts["refusals"] += 1
    print(f"ok  refuses {name}: {done.stderr.strip()}")


def check_refusals(program, folder):
    """What 1.0.4 cannot hold is refused, with the name of the node."""
    rng = np.random.default_rng(4)
    source, target = folder / "source.nir", folder / "target.nir"
    p = lambda *names: parameters(rng, np.float32, *names)
    for name, made, expected in [
        ("cubali", nir.CubaLI(**p("tau_syn", "tau_mem", "r", "v_leak")), "CubaLI"),
        ("lif", nir.LIF(**p("tau", "r", "v_leak", "v_threshold", "v_reset")), "v_reset"),
        ("if", nir.IF(**p("r", "v_threshold", "v_reset")), "v_reset"),
    ]:
        chain = {"input": nir.Input(np.array([3])), name: made, "output": nir.Output(np.array([3]))}
        nir.write(source, graph_of(chain))
        refused(program, source, target, f'node "{name}"', f"{expected} for 1.0.4")


def check_other_versions(program, folder):
    """Files that other versions wrote, copied for this one, hold the same graph."""
    data = pathlib.Path(__file__).parent / "data"
    sources = sorted(data.glob("nested_*.nir"))
    for source in sources:
        target = folder / "target.nir"
        done = copy(program, source, target, *COMPAT)
        if done.returncode != 0:
            raise Difference(f"nir_copy: {done.stderr.strip()}")
        same_node(recurrent_graph(), nir.read(target), "")
        counts["files"] += 1
        print(f"ok  {source.name} copied for {VERSION}")
    if not sources:
        raise Difference(f"no fixtures in {data}")


def check_compat(program, folder):
    """A copy for 1.0.4 has no v_reset and reads as the same graph."""
    source, target = folder / "source.nir", folder / "target.nir"
    graph = recurrent_graph()
    nir.write(source, graph)
    done = copy(program, source, target, "--nir-compat", "1.0.4")
    if done.returncode != 0:
        raise Difference(f"nir_copy: {done.stderr.strip()}")
    with h5py.File(target) as file:
        lif = file["node/nodes/srnn/nodes/lif"]
        if "v_reset" in lif or file["version"][()] != b"1.0.4":
            raise Difference(f"not a file of 1.0.4: {sorted(lif)} {file['version'][()]}")
    same_node(graph, nir.read(target), "")
    counts["files"] += 1
    print("ok  zero v_reset omitted for 1.0.4")


def check_data(program, folder):
    for name, data in data_samples().items():
        source, target = folder / "source.nir", folder / "target.nir"
        nir.write_data(source, data)
        done = copy(program, source, target)
        if done.returncode != 0:
            raise Difference(f"nir_copy: {done.stderr.strip()}")
        with h5py.File(source) as a, h5py.File(target) as b:
            same_h5(a, b)
        a, b = nir.read_data(source), nir.read_data(target)
        for node_name in a.nodes:
            x, y = a.nodes[node_name].observables, b.nodes[node_name].observables
            same(
                {k: vars(v) for k, v in x.items()}, {k: vars(v) for k, v in y.items()}, node_name
            )
        counts["files"] += 1
        print(f"ok  data {name}")


def main():
    if len(sys.argv) != 2:
        print(__doc__)
        return 2
    program = pathlib.Path(sys.argv[1]).resolve()
    print(f"nir {VERSION}, numpy {np.__version__}, h5py {h5py.__version__}")
    failures = 0
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        cases = [(name, lambda n=name, g=graph: check(program, folder, n, g)) for name, graph in graphs()]
        cases.append(("other versions", lambda: check_other_versions(program, folder)))
        if NEW:
            cases += [
                ("compat", lambda: check_compat(program, folder)),
                ("identity", lambda: check_identity(program, folder)),
                ("refusals", lambda: check_refusals(program, folder)),
                ("data", lambda: check_data(program, folder)),
            ]
        for name, case in cases:
            try:
                case()
            except Difference as difference:
                failures += 1
                print(f"NOT EQUAL  {name}: {difference}")
    print(f"nir {VERSION}:", ", ".join(f"{n} {what}" for what, n in counts.items()))
    if not all(counts[what] for what in ("files", "nodes", "arrays", "edges", "metadata")):
        print("nothing was compared")
        return 1
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
