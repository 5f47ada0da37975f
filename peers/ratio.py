"""Reads lines of JSON from isoform and from its peers, and prints each peer's time over isoform's.

Several lines of one row and peer are repetitions: their medians are compared by the median, so that a slow spell of the machine
that hits one repetition does not decide.
"""
import json
import statistics
import sys

runs = {}
facts = set()
for text in sys.stdin:
    if text.startswith("{"):
        line = json.loads(text)
        if "median_ms" not in line:
            facts.add(text.strip())
            continue
        key = (line["row"], line["threads"])
        runs.setdefault(key, {}).setdefault(line.get("peer", "isoform"), []).append(line["median_ms"])

for (row, threads), peers in sorted(runs.items()):
    own = peers.pop("isoform", None)
    print(f"{row}, {threads} thread{'s' if threads > 1 else ''}")
    for form, times in sorted(peers.items()):
        print(f"  {form:28} {statistics.median(times):12.4f} ms")
    if own:
        print(f"  {'isoform':28} {statistics.median(own):12.4f} ms")
        if peers:
            best = min(statistics.median(times) for times in peers.values())
            print(f"  best peer / isoform          {best / statistics.median(own):12.2f}")
for fact in sorted(facts):
    print(fact)
