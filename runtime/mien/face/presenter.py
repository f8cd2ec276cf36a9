"""The presenter: draws, for every frame, the pose of the moment at which it is seen."""

from mien.core.clock import Clock
from mien.core.media import extrapolate
from mien.core.pacer import DisplayPacer
from mien.core.pose import new_pose
from mien.core.stats import Counters, Window
from mien.face.attention import Attention
from mien.face.calibration import Calibration
from mien.face.director import Director
from mien.face.frame_timing import DrawCost, FrameRate
from mien.face.overlay.annotations import Annotations
from mien.face.readback import BlankCheck
from mien.face.speech_motion import MotionWatch, SpeechMotion
from mien.face.state import LIVE_PHASES, FaceState, Snapshot
from mien.face.trace import Trace
from mien.render.base import Renderer
from mien.units import ms_to_ns, ns_to_ms


class Presenter:
    """Steps once a frame without allocating; the caller waits between steps.

    display_latency_ms: from the flip to visible light, beyond what the pacer accounts for. idle_fps: steps per second
    while nothing moves fast, of which only those with a visible change are drawn; 0 draws every step. brightness: the
    factor applied to the whole frame from the next step on. next_step_ns: the latest time for the next step, as of the
    last step(); in the past when it may follow immediately.
    """

    def __init__(
        self,
        *,
        state: FaceState,
        director: Director,
        renderer: Renderer,
        pacer: DisplayPacer,
        clock: Clock,
        display_latency_ms: float,
        counters: Counters,
        trace: Trace | None = None,
        idle_fps: float = 0.0,
        calibration: Calibration | None = None,
        annotations: Annotations | None = None,
    ) -> None:
        self._state = state
        self._snapshot = Snapshot()
        self._director = director
        self._renderer = renderer
        self._pacer = pacer
        self._clock = clock
        self._latency_ns = ms_to_ns(display_latency_ms)
        self._trace = trace
        self._calibration = calibration
        self._annotations = annotations
        self._motion = SpeechMotion()
        self._watch = MotionWatch()
        self._attention = Attention()
        self._speech, self._pose = new_pose(), new_pose()
        self._expression_seen: tuple[object, ...] = ()
        self._cost = DrawCost()
        self._period_ns = round(pacer.period_ns)
        self._rate = FrameRate(full_ns=self._period_ns, idle_fps=idle_fps)
        self._rested = False
        self.next_step_ns = 0
        self.brightness = self._brightness_shown = 1.0
        self._blank = BlankCheck(renderer, counters)
        self.offsets_ms = Window(256)

    @property
    def motion_lost(self) -> bool:
        """Whether speech is playing without motion; the face rests meanwhile."""
        return self._watch.lost

    def step(self) -> None:
        """Compose the next frame; draw and present it if it would differ visibly. Raises DisplayError."""
        now_ns = self._clock.now_ns()
        if self._rested:
            self._pacer.rested(now_ns + self._cost.estimate_ns)
        visible_ns = self._pacer.next_visible_ns(now_ns + self._cost.estimate_ns) + self._latency_ns
        self._state.read(now_ns, visible_ns, self._snapshot)
        self._compose(now_ns, visible_ns)
        if self._is_seen(visible_ns):
            self._show(now_ns)
            self._rested = self._rate.rest_ns > 0
            self.next_step_ns = now_ns + self._rate.rest_ns
        else:
            self._rested = True
            self.next_step_ns = now_ns + max(self._rate.rest_ns, self._period_ns)

    def slept(self) -> None:
        """Call while the screen is dark: the next step draws whatever the pose, and counts no missed refresh."""
        self._rested = True
        self._brightness_shown = -1.0

    def take_idle(self) -> bool:
        """Whether frames were skipped on purpose since the last call."""
        return self._rate.take_rested()

    def _is_seen(self, visible_ns: int) -> bool:
        """Whether drawing the composed pose would change what is on the screen."""
        anchor, annotations = self._snapshot.anchor, self._annotations
        speaking = self._snapshot.live and anchor is not None and anchor.phase != "paused"
        overlaid = annotations is not None and annotations.stale
        fades = self.brightness != self._brightness_shown
        must = speaking or overlaid or fades or self._director.busy or self._state.wants_frame
        return self._rate.should_draw(
            visible_ns, self._pose, moves=self._director.moves, must=must, next_move_ns=self._director.next_move_ns
        )

    def _show(self, now_ns: int) -> None:
        if self._rested:
            self._renderer.rested()
        self._renderer.set_presence(self._director.presence)
        self._brightness_shown = self.brightness
        self._renderer.set_brightness(self.brightness)
        self._renderer.draw(self._pose)
        if self._calibration is not None:
            self._calibration.after_draw(self._snapshot.shown_ns if self._snapshot.live else -1)
        self._blank.after_draw(now_ns)
        self._state.thumbnails.after_draw(self._renderer)
        drawn_ns = self._clock.now_ns()
        self._renderer.present()
        done_ns = self._clock.now_ns()
        vsync = self._renderer.info.vsync
        # With vsync present() waits for the display, which is not part of the cost.
        self._cost.observe((drawn_ns if vsync else done_ns) - now_ns)
        # After a rest the flip returns immediately, so its time says nothing about the display's clock.
        seen_ns = self._pacer.presented(done_ns, vsync and not self._rested) + self._latency_ns
        self._measure(seen_ns)

    def _compose(self, now_ns: int, visible_ns: int) -> None:
        shot = self._snapshot
        anchor = shot.anchor
        self._motion.step(visible_ns, epoch=shot.epoch, live=shot.live, target=shot.pose, out=self._speech)
        self._watch.step(now_ns, speaking=anchor is not None and anchor.phase == "speaking", live=shot.live)
        customer = anchor is not None and shot.ear.speaking
        self._attention.step(now_ns, customer)
        self._director.hear(customer, visible_ns)
        self._express(now_ns)
        self._director.compose(
            visible_ns, self._state_name(), self._speech, self._pose, shot.prosody if shot.heard else None
        )
        if self._annotations is not None:
            self._annotations.step(
                now_ns,
                anchor,
                shot.media_ns,
                voice=shot.voice,
                motion_lost=self._watch.lost,
                ear=shot.ear,
                attending=self._attention.during_pause,
                choices=shot.choices,
                attend=shot.attend,
            )

    def _state_name(self) -> str:
        anchor = self._snapshot.anchor
        if anchor is None:
            return "disconnected"
        if anchor.phase == "paused":
            return "listening" if self._attention.during_pause else "paused"
        if self._watch.lost:
            return "audio_only"
        return "speaking" if anchor.phase in LIVE_PHASES else self._attention.state(self._snapshot.expression.state)

    def _express(self, now_ns: int) -> None:
        expression = self._snapshot.expression
        look = self._annotations.buttons.glance(now_ns) if self._annotations is not None else None
        look_x, look_y = look or (expression.look_x, expression.look_y)
        wanted = (expression.emotion, expression.intensity, look_x, look_y)
        if wanted != self._expression_seen:
            self._expression_seen = wanted
            self._director.set_emotion(expression.emotion, expression.intensity, now_ns)
            self._director.look_at(look_x, look_y, now_ns)
        for name in self._snapshot.gestures:
            self._director.play_gesture(name, now_ns)

    def _measure(self, seen_ns: int) -> None:
        shot = self._snapshot
        self._state.poses.add(seen_ns, self._pose)
        # Not the snapshot's anchor: the newest one knows best what was heard when the frame appeared.
        anchor = self._state.anchor
        if shot.live and anchor is not None and anchor.epoch == shot.epoch and anchor.phase == "speaking":
            heard_ns = extrapolate(anchor, seen_ns)
            if anchor.media_ns < heard_ns < anchor.until_ns:
                self.offsets_ms.add(ns_to_ms(shot.shown_ns - heard_ns))
        if self._trace is not None:
            self._trace.add(seen_ns, shot.shown_ns if shot.live else -1, shot.epoch, self._pose)
