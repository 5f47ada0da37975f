"""Writes the small NIR files of tests/data with the installed version of the Python package nir.

    python make_fixtures.py

Run it once with each supported version; the files are named after the version. Values are fixed,
so that the tests can state them.
"""

import pathlib
import sys
from importlib.metadata import version

import nir

import python_roundtrip
from python_roundtrip import all_nodes, data_samples, recurrent_graph

VERSION = version("nir")
OUT = pathlib.Path(__file__).parent / "data"


def main():
    OUT.mkdir(exist_ok=True)
    # Each group and each compressed array costs kilobytes of structure, so only the root graph of
    # the file with every type has metadata, and only the nested file is compressed.
    rich = python_roundtrip.metadata()
    python_roundtrip.metadata = dict
    every = all_nodes(seed=7)
    plain = {}
    if VERSION != "1.0.4":
        every.metadata = rich
        plain = {"compression": None}
    nir.write(OUT / f"all_{VERSION}.nir", every, **plain)

    nir.write(OUT / f"nested_{VERSION}.nir", recurrent_graph())

    if hasattr(nir, "write_data"):
        nodes = {name: data.nodes["lif"] for name, data in data_samples().items()}
        nir.write_data(OUT / f"data_{VERSION}.nir", nir.NIRGraphData(nodes), compression=None)

    total = sum(p.stat().st_size for p in OUT.iterdir())
    print(f"nir {VERSION}: {OUT} holds {total} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
