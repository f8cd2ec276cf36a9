"""The presenter: at every picture, the pose of the moment at which that picture will be seen."""

import numpy as np

from mien.core.clock import Clock
from mien.core.media import extrapolate
from mien.core.pacer import DisplayPacer
from mien.core.pose import new_pose
from mien.core.stats import Counters, Window
from mien.face.blank_check import BlankCheck
from mien.face.calibration import Calibration
from mien.face.director import Director
from mien.face.draw_cost import DrawCost
from mien.face.frame_rate import FrameRate
from mien.face.motion_stage import Score
from mien.face.motion_watch import LATE_NS, MotionWatch
from mien.face.overlay.annotations import Annotations
from mien.face.speech_motion import SpeechMotion
from mien.face.trace import Trace
from mien.motion.prosody import PROSODY_CHANNELS
from mien.render.base import Renderer
from mien.units import NS_PER_S, ms_to_ns, ns_to_ms

# Before a turn opens media time waits at its start: the lips go to where its first sound needs them, as people's do.
LIVE_PHASES = frozenset({"preroll", "speaking", "stalled", "paused"})
VOICE_TIMEOUT_NS = NS_PER_S  # the voice publishes an anchor at least four times a second


class Presenter:
    """Steps once a frame. Allocates nothing in the loop; the caller waits between the steps.

    display_latency_ms: from the flip to the light, beyond what the pacer knows. idle_fps: looks a second while nothing
    fast moves, of which those that would show something new are drawn; 0 draws at every step. brightness: what the
    picture is multiplied by from the next step on. next_look_ns: when to step again at the latest, as of the last
    step(); in the past where nothing speaks against now.
    """

    def __init__(
        self,
        *,
        score: Score,
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
        self._score = score
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
        self._target, self._speech, self._pose = new_pose(), new_pose(), new_pose()
        self._timeline_row = self._target[:55]
        self._prosody_row = np.zeros(len(PROSODY_CHANNELS), dtype=np.float32)
        self._expression_seen: tuple[object, ...] = ()
        self._cost = DrawCost()
        self._period_ns = round(pacer.period_ns)
        self._rate = FrameRate(full_ns=self._period_ns, idle_fps=idle_fps)
        self._rested = False
        self.next_look_ns = 0
        self.brightness = self._brightness_shown = 1.0
        self._blank = BlankCheck(renderer, counters)
        self.offsets_ms = Window(256)

    @property
    def motion_lost(self) -> bool:
        """Whether speech is heard for which there is no motion: the face rests."""
        return self._watch.lost

    def step(self) -> None:
        """Look at the face as it will be seen; draw and present it where that shows something. Raises DisplayError."""
        now_ns = self._clock.now_ns()
        if self._rested:
            self._pacer.rested(now_ns + self._cost.estimate_ns)
        visible_ns = self._pacer.next_visible_ns(now_ns + self._cost.estimate_ns) + self._latency_ns
        media_ns, epoch, live = self._compose(now_ns, visible_ns)
        if self._is_seen(visible_ns, live):
            self._show(now_ns, media_ns, epoch, live)
            self._rested = self._rate.rest_ns > 0
            self.next_look_ns = now_ns + self._rate.rest_ns
        else:
            self._rested = True
            self.next_look_ns = now_ns + max(self._rate.rest_ns, self._period_ns)

    def slept(self) -> None:
        """The screen was dark: whatever the pose, the next step shows it, and no refresh before it was missed."""
        self._rested = True
        self._brightness_shown = -1.0

    def take_idle(self) -> bool:
        """Whether the face has been drawn less often than the display can show since the last call, on purpose."""
        return self._rate.take_rested()

    def _is_seen(self, visible_ns: int, live: bool) -> bool:
        """Whether the pose that was composed would show anything new."""
        anchor, annotations = self._score.clock.anchor, self._annotations
        speaking = live and anchor is not None and anchor.phase != "paused"
        overlaid = annotations is not None and annotations.stale
        fades = self.brightness != self._brightness_shown
        must = speaking or overlaid or fades or self._director.busy or self._score.thumbnails.wanted
        return self._rate.look(
            visible_ns, self._pose, moves=self._director.moves, must=must, next_move_ns=self._director.next_move_ns
        )

    def _show(self, now_ns: int, media_ns: int, epoch: int, live: bool) -> None:
        if self._rested:
            self._renderer.rested()
        self._renderer.set_presence(self._director.presence)
        self._brightness_shown = self.brightness
        self._renderer.set_brightness(self.brightness)
        self._renderer.draw(self._pose)
        if self._calibration is not None:
            self._calibration.after_draw(media_ns if live else -1)
        self._blank.after_draw(now_ns)
        self._score.thumbnails.after_draw(self._renderer)
        drawn_ns = self._clock.now_ns()
        self._renderer.present()
        done_ns = self._clock.now_ns()
        vsync = self._renderer.info.vsync
        self._cost.observe((drawn_ns if vsync else done_ns) - now_ns)  # with vsync present() waits: that is no cost
        # After a rest a flip finds the display ready and returns at once: only the next one tells the display's clock.
        seen_ns = self._pacer.presented(done_ns, vsync and not self._rested) + self._latency_ns
        self._measure(seen_ns, media_ns, epoch, live)

    def _compose(self, now_ns: int, visible_ns: int) -> tuple[int, int, bool]:
        with self._score.lock:
            if now_ns - self._score.heard_of_voice_ns > VOICE_TIMEOUT_NS:
                self._score.clock.forget()
            anchor = self._score.clock.anchor
            media_ns = self._score.clock.media_ns(visible_ns)
            live = anchor is not None and anchor.phase in LIVE_PHASES
            live = live and media_ns - self._score.timeline.end_ns < LATE_NS
            live = live and self._score.timeline.sample(media_ns, self._timeline_row)
            heard = live and anchor is not None and anchor.phase != "paused"
            heard = heard and self._score.prosody.sample(media_ns, self._prosody_row)
            shown_ns = min(media_ns, self._score.timeline.end_ns)  # motion that is late is not counted as in step
            epoch = self._score.clock.epoch
        self._motion.step(visible_ns, epoch=epoch, live=live, target=self._target, out=self._speech)
        self._watch.step(now_ns, speaking=anchor is not None and anchor.phase == "speaking", live=live)
        self._express(now_ns)
        self._director.compose(
            visible_ns, self._state(), self._speech, self._pose, self._prosody_row if heard else None
        )
        if self._annotations is not None:
            self._annotations.step(now_ns, anchor, media_ns, voice=self._score.voice, motion_lost=self._watch.lost)
        return shown_ns, epoch, live

    def _state(self) -> str:
        anchor = self._score.clock.anchor
        if anchor is None:
            return "disconnected"
        if anchor.phase == "paused":
            return "paused"
        if self._watch.lost:
            return "audio_only"
        return "speaking" if anchor.phase in LIVE_PHASES else self._score.expression.state

    def _express(self, now_ns: int) -> None:
        expression = self._score.expression
        wanted = (expression.emotion, expression.intensity, expression.look_x, expression.look_y)
        if wanted != self._expression_seen:
            self._expression_seen = wanted
            self._director.set_emotion(expression.emotion, expression.intensity, now_ns)
            self._director.look_at(expression.look_x, expression.look_y, now_ns)
        if self._score.gestures:
            for name in self._score.take_gestures():
                self._director.play_gesture(name, now_ns)

    def _measure(self, seen_ns: int, media_ns: int, epoch: int, live: bool) -> None:
        anchor = self._score.clock.anchor
        if live and anchor is not None and anchor.epoch == epoch and anchor.phase == "speaking":
            heard_ns = extrapolate(anchor, seen_ns)
            if anchor.media_ns < heard_ns < anchor.until_ns:
                self.offsets_ms.add(ns_to_ms(media_ns - heard_ns))
        if self._trace is not None:
            self._trace.add(seen_ns, media_ns if live else -1, epoch, self._pose)
