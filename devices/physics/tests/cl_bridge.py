"""Stands between a realization of a culture and the API of Cortical Labs' machines, or the simulator behind the same API (PyPI `cl-sdk`).

One line in, one line out; ticks are milliseconds, currents microamperes, times frames of the machine's clock.

    -> (nothing)                           <- ready VERSION CHANNELS FRAMES_PER_SECOND
    -> advance TICKS TICK:CHANNEL:CURRENT ...
                                           <- done START END TICK:CHANNEL ... | TICK:CHANNEL ...     spikes, then stimuli as delivered
                                           <- refused CHANNEL REASON     nothing was stimulated and no tick passed
                                           <- failed REASON              the state is unknown

A stimulus is a biphasic pulse, 200 us a phase, its first phase of the given current. The end of the input ends the program. `cl-sdk` needs
Python 3.12; its licence, CC BY-NC 4.0, is why it is only ever met over this line.
"""

import importlib.metadata
import os
import sys

# the line is the standard output of before; whatever the library prints goes to standard error
line = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)
os.environ.setdefault("CL_SDK_VISUALISATION", "0")

import cl  # noqa: E402

WIDTH = 200
TICKS_PER_SECOND = 1000
# electrodes at the corners are grounded: the API takes stimuli for them and gives none
GROUNDED = {0, 7, 56, 63}


def say(*words):
    print(*words, file=line, flush=True)


def one_line(error):
    return " ".join(f"{type(error).__name__}: {error}".split())


def read(words):
    """The stimuli of a request by tick, or the channel and reason of a refusal."""
    stimuli = {}
    for word in words:
        tick, channel, current = word.split(":")
        channel, current = int(channel), float(current)
        if channel in GROUNDED:
            return None, (channel, "is grounded and cannot be stimulated")
        try:
            design = cl.StimDesign(WIDTH, current, WIDTH, -current)
        except ValueError as error:
            return None, (channel, one_line(error))
        stimuli.setdefault(int(tick), []).append((channel, design))
    return stimuli, None


def advance(neurons, frames, ticks, stimuli):
    """Runs the loop for so many ticks; gives its first frame and the one after its last, spikes and stimuli."""

    def stimulate(tick):
        for channel, design in stimuli.get(tick, ()):
            neurons.stim(channel, design)

    spikes, delivered, start, end = [], [], None, None
    # what is given in the body of the loop acts in the tick after it, so that one tick more goes before all others
    for tick in neurons.loop(ticks_per_second=TICKS_PER_SECOND, stop_after_ticks=ticks + 1, ignore_jitter=True):
        stimulate(tick.iteration)
        end = tick.analysis.stop_timestamp
        if start is None:
            start = end
            continue
        spikes += [((s.timestamp - start) // frames, s.channel) for s in tick.analysis.spikes]
        delivered += [((s.timestamp - start) // frames, s.channel) for s in tick.analysis.stims]
    return start, end, spikes, delivered


with cl.open() as neurons:
    rate = neurons.get_frames_per_second()
    say("ready", importlib.metadata.version("cl-sdk"), neurons.get_channel_count(), rate)
    for request in sys.stdin:
        word, *rest = request.split()
        if word != "advance":
            say("failed", f"unknown request {word}")
            break
        try:
            stimuli, refusal = read(rest[1:])
            if refusal:
                say("refused", *refusal)
                continue
            start, end, spikes, delivered = advance(neurons, rate // TICKS_PER_SECOND, int(rest[0]), stimuli)
            say("done", start, end, *(f"{t}:{c}" for t, c in sorted(spikes)), "|", *(f"{t}:{c}" for t, c in sorted(delivered)))
        except Exception as error:  # whatever it is, the other side must hear of it
            say("failed", one_line(error))
            break
