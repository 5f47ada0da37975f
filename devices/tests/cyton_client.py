"""The client of BrainFlow (PyPI `brainflow` 5.23.0) against the twin of the Cyton.

Anchor: third-party-client.

    pip install brainflow
    cargo run -- twin cyton     # prints the path of the board
    python devices/tests/cyton_client.py /dev/pts/N

BrainFlow sends v, d, x, b and s, finds the packets and scales them by itself. What it must see: 250 samples a second whose counters
go on from each other, an alpha rhythm of 10 Hz and about 20 uV with 5 uV of noise, and the answer to a channel setting.
"""

import sys
import time

import numpy
from brainflow.board_shim import BoardIds, BoardShim, BrainFlowInputParams

SECONDS = 8


def listen(port: str) -> None:
    BoardShim.disable_board_logger()
    params = BrainFlowInputParams()
    params.serial_port = port
    board_id = BoardIds.CYTON_BOARD.value
    board = BoardShim(board_id, params)
    board.prepare_session()
    try:
        answer = board.config_board("x1060110X")
        assert "Success: Channel set for 1$$$" in answer, answer
        board.start_stream()
        started = time.monotonic()
        time.sleep(SECONDS)
        board.stop_stream()
        # a busy machine sleeps longer than it was told to
        seconds = time.monotonic() - started
        data = board.get_board_data()
    finally:
        board.release_session()

    counters = data[BoardShim.get_package_num_channel(board_id)].astype(int)
    assert abs(len(counters) / seconds - 250) < 25, f"{len(counters)} samples in {seconds} s"
    jumps = numpy.flatnonzero(numpy.diff(counters) % 256 != 1)
    assert len(jumps) == 0, f"counters jump at {jumps}"
    channels = BoardShim.get_eeg_channels(board_id)
    assert len(channels) == 8, channels
    for channel in channels:
        signal = data[channel] - data[channel].mean()
        power = numpy.abs(numpy.fft.rfft(signal)) ** 2
        hertz = numpy.fft.rfftfreq(len(signal), 1 / 250)
        peak = hertz[power.argmax()]
        alpha = power[(hertz > 9) & (hertz < 11)].sum() / power.sum()
        spread = signal.std()
        assert abs(peak - 10) < 0.5, f"channel {channel}: the strongest frequency is {peak} Hz"
        # 20 uV / sqrt 2, a little more for its waxing and waning, with 5 uV of noise
        assert 12 < spread < 20, f"channel {channel}: {spread} uV"
        assert alpha > 0.8, f"channel {channel}: {alpha} of the power is alpha"
    print(f"ok: {len(counters)} samples in {seconds:.1f} s, none lost, alpha rhythm in {len(channels)} channels")


if __name__ == "__main__":
    listen(sys.argv[1])
