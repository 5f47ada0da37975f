"""Checks that no dependency declares a newer Rust than this project: `msrv.py 1.89`."""
import json
import subprocess
import sys


def version(text):
    return tuple(int(part) for part in text.split("."))[:2]


limit = version(sys.argv[1])
command = ["cargo", "metadata", "--format-version", "1", "--filter-platform", "x86_64-unknown-linux-gnu"]
metadata = json.loads(subprocess.run(command, capture_output=True, check=True, text=True).stdout)
newer = [p for p in metadata["packages"] if p["rust_version"] and version(p["rust_version"]) > limit]
for package in newer:
    print(f"{package['name']} {package['version']} needs Rust {package['rust_version']}")
print(f"{len(metadata['packages'])} packages declare no newer Rust than {sys.argv[1]}" if not newer else "the declared version is too old")
sys.exit(bool(newer))
