"""The composition root of mien-face: one thread reads the bus and makes motion, this one draws."""

import logging
import os
import threading
from collections.abc import Callable
from pathlib import Path

import zmq

from mien.config import Config
from mien.core import bus
from mien.core.clock import Clock
from mien.core.ladder import Level
from mien.core.mesh import Mesh
from mien.core.pacer import DisplayPacer
from mien.core.stats import Counters
from mien.core.timeline import Timeline
from mien.errors import AvatarError, BusError, DisplayError, ModelError
from mien.face.calibration import Calibration
from mien.face.director import Director
from mien.face.display import DisplayWait
from mien.face.health import FaceReporter
from mien.face.motion_stage import KEEP_S, MotionStage, Score
from mien.face.overlay.annotations import Annotations
from mien.face.presenter import LIVE_PHASES, Presenter
from mien.face.trace import Trace
from mien.face.upkeep import Upkeep
from mien.host.clock import sleep_until_ns
from mien.host.notify import ServiceNotifier
from mien.motion.base import MotionEngine
from mien.render.base import Renderer
from mien.transport.bus import FaceBus
from mien.units import NS_PER_S

log = logging.getLogger("mien.face")

BUS_POLL_MS = 100
SAMPLES = 4  # of MSAA
AHEAD_NS = 250_000_000  # motion that is ready
AHEAD_PAUSE_MS = 4  # a 20 ms block every 4 ms: still five times as fast as it is heard


def load_engines(model: str) -> tuple[MotionEngine, MotionEngine]:
    """The engine to use and the one to fall back on. A model that cannot be used is said in the log."""
    from mien.motion.envelope import EnvelopeEngine
    from mien.motion.load import load_engine

    spare = EnvelopeEngine()
    try:
        return load_engine(Path(model) if model else None), spare
    except ModelError as error:
        log.error("no motion model, the jaw follows loudness: %s", error)
        return spare, EnvelopeEngine()


def load_face(avatar: str) -> Mesh:
    """The configured avatar, or the shipped one where that cannot be used, said in the log. Raises AvatarError."""
    from mien.avatar.load import load_avatar

    if avatar:
        try:
            return load_avatar(Path(avatar))
        except AvatarError as error:
            log.error("the shipped face is shown, face.avatar cannot be used: %s", error)
    return load_avatar()


def open_renderer(config: Config, clock: Clock) -> Renderer:
    """The configured renderer, with the avatar. Raises DisplayError or AvatarError."""
    face = config.face
    if face.renderer == "headless":
        from mien.render.headless import HeadlessRenderer

        return HeadlessRenderer(face.width, face.height, clock)
    from mien.render.gles import GlesRenderer
    from mien.render.hotplug import connected_outputs
    from mien.render.window import choose_driver

    mesh = load_face(face.avatar)

    def opened(samples: int) -> Renderer:
        return GlesRenderer(mesh, width=face.width, height=face.height, title="mien", fullscreen=face.fullscreen,
                            samples=samples, quality="auto", budget_ms=1000 / face.fps,
                            quarter_turns=face.quarter_turns)

    # Where the processor draws, four samples a pixel cost threefold. Offscreen that is known beforehand, and a context
    # that need not be opened twice saves 16 MB.
    offscreen = choose_driver(os.environ, bool(connected_outputs())) == "offscreen"
    renderer = opened(0 if offscreen else SAMPLES)
    if renderer.info.software and not offscreen:
        renderer.close()
        renderer = opened(0)
    return renderer


def open_calibration(config: Config, renderer: Renderer) -> Calibration | None:
    """The flashing bar, where it is switched on and there are pixels. Raises DisplayError."""
    if not config.face.calibration or renderer.info.backend != "gles":
        return None
    from mien.render.bar import Bar

    log.warning("calibration: a bar flashes at the bottom of the screen; face.calibration = false ends it")
    return Calibration(Bar(renderer.info.width, renderer.info.height).paint)


class FaceService:
    """Everything that mien-face is. trace: keeps what was shown. opener: the tests hand in one that can fail."""

    def __init__(self, config: Config, run_dir: Path, clock: Clock, *, trace: Trace | None = None,
                 opener: Callable[[Config, Clock], Renderer] = open_renderer) -> None:
        self._config = config
        self._run_dir = run_dir
        self._clock = clock
        self._trace = trace
        self._counters = Counters()
        self._notifier = ServiceNotifier(clock)
        self._stopping = threading.Event()
        self._display = DisplayWait(lambda: opener(config, clock), self._notifier, self._stopping, self._counters)
        engine, spare = load_engines(config.face.model)
        info = engine.info
        self._score = Score(Timeline(width=55, frame_hz=info.frame_hz, capacity=KEEP_S * info.frame_hz))
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self._bus = FaceBus(self._context, run_dir, self._counters)
        self._reports: list[bytes] = []
        self._stage = MotionStage(engine=engine, spare=spare, score=self._score, counters=self._counters,
                                  report=self._bus.report)
        self._thread = threading.Thread(target=self._listen, name="motion", daemon=True)

    def run(self) -> None:
        """Show the face until stop(). Waits for a display that is not there yet, or no longer."""
        while (renderer := self._display.open()) is not None:
            log.info("drawing with %s %s", renderer.info.version, renderer.info.device)
            if self._thread.ident is None:
                self._thread.start()
            try:
                self._draw(renderer)
            except DisplayError as error:
                self._display.lost(error)
            else:
                break
            finally:
                renderer.close()
        self._stopping.set()
        self._notifier.stopping()
        if self._thread.ident is not None:
            self._thread.join()
        self._bus.close()
        self._context.term()
        log.info("stopped")

    def stop(self) -> None:
        """Ask the loop to end; safe in a signal handler."""
        self._stopping.set()

    def _draw(self, renderer: Renderer) -> None:
        annotations = Annotations(self._config, renderer, self._score.captions, self._counters)
        annotations.start()
        try:
            self._show(renderer, annotations)
        finally:
            annotations.stop()

    def _show(self, renderer: Renderer, annotations: Annotations) -> None:
        face = self._config.face
        info = renderer.info
        pacer = DisplayPacer(info.refresh_ns or NS_PER_S // face.fps, depth=info.flip_depth)
        presenter = Presenter(score=self._score, director=Director(seed=face.seed), renderer=renderer, pacer=pacer,
                              clock=self._clock, display_latency_ms=face.display_latency_ms, counters=self._counters,
                              trace=self._trace, calibration=open_calibration(self._config, renderer),
                              annotations=annotations)
        reporter = FaceReporter(score=self._score, pacer=pacer, counters=self._counters, renderer=renderer)
        report_due_ns = 0
        upkeep = Upkeep()
        while not self._stopping.is_set() and not renderer.close_requested:
            presenter.step()
            now_ns = self._clock.now_ns()
            if now_ns >= report_due_ns:
                report_due_ns = now_ns + NS_PER_S
                level = Level.AUDIO_ONLY.value if presenter.motion_lost else self._level
                health = reporter.report(presenter, level, upkeep.step(speaking=self._speaking), now_ns)
                self._tell(health)
                annotations.tell(health)
            self._notifier.watchdog()
            if not renderer.info.vsync:
                sleep_until_ns(now_ns + pacer.wait_ns(now_ns))

    @property
    def _speaking(self) -> bool:
        anchor = self._score.clock.anchor
        return anchor is not None and anchor.phase in LIVE_PHASES

    @property
    def _level(self) -> str:
        level = Level.ENVELOPE if self._stage.backend == "envelope" else Level.FULL
        return level.value

    def _tell(self, health: bus.FaceHealth) -> None:
        self._notifier.ready()
        offset = "no speech yet" if health.offset_median_ms is None else f"A/V offset {health.offset_median_ms} ms"
        self._notifier.status(f"{health.level}, {health.fps:.0f} fps, {offset}")
        self._reports.append(bus.encode(health))

    def _listen(self) -> None:
        """The motion thread: the bus's sockets belong to it alone."""
        while not self._stopping.is_set():
            frames = self._bus.receive(self._patience_ms())
            while frames is not None:
                self._take(frames)
                frames = self._bus.receive(0)
            while self._reports:
                self._bus.report(self._reports.pop(0))
            self._stage.work()

    def _patience_ms(self) -> int:
        """How long to wait for the bus: motion that is far ahead already leaves the processor to the picture."""
        if not self._stage.backlog:
            return BUS_POLL_MS
        return AHEAD_PAUSE_MS if self._stage.lead_ns > AHEAD_NS else 0

    def _take(self, frames: list[bytes]) -> None:
        try:
            self._stage.take(frames, self._clock.now_ns())
        except BusError as error:
            self._counters.count("bus_refused")
            log.error("%s", error)
