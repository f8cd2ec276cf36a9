"""Runs the script through one adapter on a real voice with a face."""

import asyncio
import importlib
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from mien.bench.adapters.driver import Driver, Segment, Verdict
from mien.bench.adapters.plan import make_plan, plain_plan, turn_of
from mien.bench.adapters.scores import Memory, Outcome, rows_of
from mien.bench.adapters.script import SEGMENTS
from mien.bench.adapters.truth import read_truth
from mien.bench.rows import Report, machine
from mien.bench.session import START_TIMEOUT_S, BusProbe
from mien.errors import MienError
from mien.host.clock import MonotonicClock
from mien.host.memory import private_mb
from mien.host.stack import Stack
from mien.transport import voice_endpoint

PLAIN: Final = 40
QUICK_PLAIN: Final = 12
PLAIN_FIRST: Final = 10_000
BASE_FIRST: Final = 20_000
HANG_S: Final = 25.0  # longer than any segment of the script with its silences
SETTLE_S: Final = 0.5  # until a second finish would have come, and the recording is complete
FADE_MS: Final = 1
Progress = Callable[[str], None]


def load_driver(name: str) -> Driver:
    """The driver of an adapter. Raises MienError when its framework is not installed."""
    try:
        module = importlib.import_module(f"mien.bench.adapters.drive_{name}")
    except ModuleNotFoundError as error:
        raise MienError(
            f"{name}: the package {error.name} is not installed here; run `.ci/test-adapters --bench {name}`"
        ) from None
    driver: Driver = module.Driver()
    return driver


def run_adapter(name: str, count: int, seed: int, progress: Progress) -> Report:
    """Run the script. count: segments. Raises MienError when the services do not start."""
    driver = load_driver(name)
    baseline = importlib.import_module("mien.bench.adapters.drive_client").Driver(driver.rate_hz)
    with tempfile.TemporaryDirectory(prefix="mien-") as folder:
        run_dir, wav = Path(folder), Path(folder, "heard.wav")
        stack = Stack(run_dir, settings=_settings(driver.rate_hz, wav), quiet=True)
        with BusProbe(run_dir, MonotonicClock()) as probe, stack:
            if not probe.wait_for_face(START_TIMEOUT_S):
                raise MienError(f"the face did not start within {START_TIMEOUT_S:.0f} s; run `mien doctor`")
            endpoint = voice_endpoint(run_dir)
            bursts = PLAIN if count >= SEGMENTS else QUICK_PLAIN
            plan = plain_plan(bursts, BASE_FIRST, driver.rate_hz)
            base, _ = asyncio.run(_speak_all(baseline, endpoint, plan, None, progress))
            plan = [
                *make_plan(seed, count, driver.rate_hz, driver.can_pause),
                *plain_plan(bursts, PLAIN_FIRST, driver.rate_hz),
            ]
            told, memory = asyncio.run(_speak_all(driver, endpoint, plan, stack, progress))
        heard = read_truth(wav, driver.rate_hz)

    def outcomes(results: Sequence[tuple[Segment, Verdict | None, int]]) -> list[Outcome]:
        return [Outcome(*result, heard.get(turn_of(result[0].number))) for result in results]

    script, plain = outcomes(told[:count]), outcomes(told[count:])
    rows = rows_of(driver.name, driver.rate_hz, script, plain, outcomes(base), memory)
    return Report(benchmark=f"adapters, seed {seed}", rows=tuple(rows), machine=machine())


async def _speak_all(
    driver: Driver, endpoint: str, plan: Sequence[tuple[float, Segment]], stack: Stack | None, progress: Progress
) -> tuple[list[tuple[Segment, Verdict | None, int]], Memory]:
    """The verdict of each segment, with how often it was finished; and the memory of this process."""
    verdicts: list[Verdict | None] = []
    early_mb = 0.0
    await driver.open(endpoint)
    for index, (gap_ms, segment) in enumerate(plan):
        progress(f"{driver.name}: segment {index + 1}/{len(plan)}")
        await asyncio.sleep(gap_ms / 1000)
        loss = asyncio.create_task(_lose_face(stack)) if segment.lose_face and stack is not None else None
        try:
            async with asyncio.timeout(HANG_S):
                verdicts.append(await driver.speak(segment))
        except TimeoutError:
            verdicts.append(None)
        if loss is not None:
            await loss
        if index == len(plan) // 4:
            early_mb = private_mb()
    await asyncio.sleep(SETTLE_S)
    late_mb = private_mb()
    await driver.close()
    results = [
        (segment, verdict, driver.finishes(segment.number))
        for (_, segment), verdict in zip(plan, verdicts, strict=True)
    ]
    return results, Memory(early_mb, late_mb)


async def _lose_face(stack: Stack) -> None:
    """Kill the face, and start it again a little later, as systemd would."""
    if stack.face is not None:
        stack.face.kill()
        await asyncio.to_thread(stack.face.wait)
    await asyncio.sleep(0.3)
    stack.start_face()


def _settings(rate_hz: int, wav: Path) -> dict[str, str]:
    return {
        "playback.sink": "wav",
        "playback.wav_path": str(wav),
        "playback.rate_hz": str(rate_hz),
        "playback.fade_ms": str(FADE_MS),
        "face.renderer": "gles",
        "face.width": "128",
        "face.height": "160",
        "face.fps": "15",
        "voice.listen": "[]",
    }
