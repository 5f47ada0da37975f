"""Writes small HDF5 files that try to harm a reader of NIR graphs, with h5py.

    python make_hostile.py

What each does is in its function; what the reader must say is in `hostile.rs`.
"""

import pathlib

import h5py
import numpy as np

OUT = pathlib.Path(__file__).parent / "hostile"
CASES = {}
# Without checksums, so that damage made by the tests gets past them; these files are larger.
EARLIEST = {"bomb_linked_often", "huge_contiguous", "huge_chunked", "graph_in_itself", "soft_link"}


def case(function):
    CASES[function.__name__] = function
    return function


def graph(group):
    group["type"] = "NIRGraph"
    group["edges"] = np.zeros(0)
    return group.create_group("nodes")


def scale(file):
    """The group of one Scale node "a", without its parameter."""
    node = graph(file.create_group("node")).create_group("a")
    node["type"] = "Scale"
    return node


@case
def huge_contiguous(file):
    """Eight tebibytes that were never written."""
    scale(file).create_dataset("scale", shape=(2**20, 2**20), dtype="f8")


@case
def huge_chunked(file):
    """Eight tebibytes in chunks that were never written."""
    scale(file).create_dataset(
        "scale", shape=(2**20, 2**20), dtype="f8", chunks=(64, 64), compression="gzip"
    )


@case
def huge_chunk(file):
    """A few numbers in a chunk of two gibibytes."""
    scale(file).create_dataset(
        "scale", shape=(4,), maxshape=(None,), dtype="f8", chunks=(2**28,), compression="gzip"
    )


@case
def bomb_linked_often(file):
    """Eight mebibytes that take eight kibibytes, under forty names."""
    node = scale(file)
    node["scale"] = np.zeros(1)
    metadata = node.create_group("metadata")
    metadata.create_dataset(
        "m0", data=np.zeros(2**20), chunks=(2**20,), compression="gzip", compression_opts=9
    )
    for i in range(1, 40):
        metadata[f"m{i}"] = metadata["m0"]


@case
def text_linked_often(file):
    """A long text under five hundred names; read, since that is bounded."""
    node = scale(file)
    node["scale"] = np.zeros(1)
    metadata = node.create_group("metadata")
    metadata["text"] = "x" * 20_000
    for i in range(500):
        metadata[f"m{i}"] = metadata["text"]


@case
def graph_in_itself(file):
    """The root graph is one of its own nodes."""
    root = file.create_group("node")
    graph(root)["self"] = root


@case
def metadata_in_itself(file):
    root = file.create_group("node")
    graph(root)
    metadata = root.create_group("metadata")
    metadata["self"] = metadata


@case
def doubling(file):
    """Thirty levels of graphs, each with the next one twice: a billion nodes."""
    nodes = graph(file.create_group("node"))
    for _ in range(30):
        inner = nodes.create_group("left")
        nodes["right"] = inner
        nodes = graph(inner)


@case
def external_link(file):
    """The parameter lies in another file."""
    scale(file)["scale"] = h5py.ExternalLink("/etc/passwd", "/scale")


@case
def soft_link(file):
    """The parameter is a link to itself."""
    scale(file)["scale"] = h5py.SoftLink("/node/nodes/a/scale")


@case
def compound(file):
    scale(file)["scale"] = np.zeros(2, dtype=[("re", "f4"), ("im", "f4")])


@case
def long_double(file):
    scale(file)["scale"] = np.zeros(2, dtype=np.longdouble)


@case
def lists(file):
    node = scale(file)
    node.create_dataset("scale", shape=(2,), dtype=h5py.vlen_dtype(np.float32))


@case
def empty(file):
    """A dataset without a dataspace."""
    scale(file)["scale"] = h5py.Empty("f4")


@case
def not_text(file):
    node = graph(file.create_group("node")).create_group("a")
    node.create_dataset("type", data=b"Sc\xff\xfele", dtype=h5py.string_dtype())


@case
def three_ends(file):
    root = file.create_group("node")
    graph(root)
    del root["edges"]
    root["edges"] = [("a", "b", "c")]


@case
def number_edges(file):
    root = file.create_group("node")
    graph(root)
    del root["edges"]
    root["edges"] = [[0, 1]]


@case
def attributes(file):
    """Not hostile: attributes, which the format does not have."""
    node = scale(file)
    node["scale"] = np.zeros(1)
    node.attrs["color"] = "red"
    file["comment"] = "hello"


def main():
    OUT.mkdir(exist_ok=True)
    for name, fill in CASES.items():
        libver = "earliest" if name in EARLIEST else ("v110", "v110")
        with h5py.File(OUT / f"{name}.nir", "w", libver=libver) as file:
            file["version"] = "1.0.8"
            fill(file)
    for path in sorted(OUT.iterdir()):
        print(f"{path.stat().st_size:8}  {path.name}")


if __name__ == "__main__":
    main()
