"""What was shown, as it is written to a file."""

from pathlib import Path

import numpy as np

from mien.core.pose import CHANNEL_COUNT
from mien.face.trace import Trace


def test_each_frame_is_a_row_and_what_does_not_fit_is_counted(tmp_path: Path) -> None:
    trace = Trace(2)
    for number in range(4):
        trace.add(10 + number, 20 + number, 30 + number, np.full(CHANNEL_COUNT, number, dtype=np.float32))
    assert trace.dropped == 2
    trace.save(tmp_path / "trace.npz")
    with np.load(tmp_path / "trace.npz") as saved:
        assert saved["visible_ns"].tolist() == [10, 11]
        assert saved["media_ns"].tolist() == [20, 21]
        assert saved["epoch"].tolist() == [30, 31]
        assert saved["poses"].tolist() == [[0.0] * CHANNEL_COUNT, [1.0] * CHANNEL_COUNT]


def test_a_trace_that_is_not_full_has_only_its_rows(tmp_path: Path) -> None:
    trace = Trace(5)
    trace.add(1, -1, 0, np.zeros(CHANNEL_COUNT, dtype=np.float32))
    trace.save(tmp_path / "trace.npz")
    with np.load(tmp_path / "trace.npz") as saved:
        assert {name: saved[name].shape for name in saved} == {
            "visible_ns": (1,), "media_ns": (1,), "epoch": (1,), "poses": (1, CHANNEL_COUNT),
        }  # fmt: skip
