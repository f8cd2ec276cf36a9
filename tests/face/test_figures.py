"""Figures of the face that pages promise, that the voice counts on, or that bound time and memory.

Other tests take them from the source, so that a figure that is ten times what it should be would pass them.
"""

from mien.face import (
    attention,
    backdrop,
    display,
    draw_loop,
    frame_timing,
    memory_trim,
    motion_stage,
    motion_thread,
    readback,
    screen,
    speech_motion,
    state,
    turn_phones,
)
from mien.face.overlay import button_grid, caption_pages, choice_buttons, drift, ear_signs, logo, qr_code, sign_fade
from mien.units import NS_PER_MS, NS_PER_S


def test_what_waits_is_bounded():
    assert (motion_stage.MAX_WAITING, motion_stage.MAX_WAITING_BYTES) == (400, 512_000)
    assert (motion_thread.MAX_REPORTS, motion_thread.MAX_AT_ONCE) == (8, 200)
    assert (state.MAX_GESTURES, state.MAX_CUES, state.KEEP_S) == (8, 16, 3)
    assert turn_phones.MOST_TURNS == 8
    assert (backdrop.MAX_FILE_BYTES, backdrop.MAX_SIDE, logo.MAX_FILE_BYTES) == (32 << 20, 1920, 4 << 20)


def test_a_voice_that_is_gone_and_motion_that_is_late_are_noticed_in_time():
    """The voice publishes an anchor four times a second; a mouth shuts within 150 ms."""
    assert state.VOICE_TIMEOUT_NS == NS_PER_S
    assert state.LATE_NS == 400 * NS_PER_MS
    assert (speech_motion.SETTLE_NS, speech_motion.MOST_HEAD_START_NS) == (80 * NS_PER_MS, 40 * NS_PER_MS)
    assert speech_motion._LOST_NS == 500 * NS_PER_MS


def test_the_motion_thread_is_ahead_of_what_is_heard_and_answers_fingers():
    assert motion_thread.AHEAD_NS == 250 * NS_PER_MS
    assert motion_thread.AHEAD_PAUSE_MS * 5 == 20  # five times real time
    assert (motion_thread.BUS_POLL_MS, motion_thread.HURRIED_POLL_MS, motion_thread.JOIN_S) == (100, 10, 5.0)
    assert (draw_loop.TOUCH_STEP_NS, draw_loop.DARK_STEP_NS) == (15 * NS_PER_MS, 500 * NS_PER_MS)


def test_a_screen_that_nobody_looks_at_is_served_seldom_and_woken_fast():
    assert screen.AWAKE_NS == 30 * NS_PER_S
    assert (screen._DIMS_NS, screen._BRIGHTENS_NS) == (2 * NS_PER_S, 250 * NS_PER_MS)
    assert frame_timing.LONGEST_NS == NS_PER_S
    assert frame_timing.COST_STEP == 0.08
    assert (display.FIRST_RETRY_S, display.MOST_RETRY_S, display.PATIENCE_S, display._SLICE_S) == (0.5, 4.0, 30, 0.5)
    assert readback.BLANK_CHECK_NS == NS_PER_S
    assert drift.STEP_NS == 90 * NS_PER_S


def test_attention_stays_for_a_moment_and_in_a_pause_for_longer():
    assert (attention.STAYS_NS, attention.STAYS_IN_PAUSE_NS) == (700 * NS_PER_MS, 2500 * NS_PER_MS)


def test_memory_that_has_grown_is_let_go():
    assert (memory_trim.GROWN_MB, memory_trim.CREPT_MB, memory_trim.CREPT_EVERY) == (15.0, 8.0, 120)


def test_buttons_are_for_fingers_and_codes_for_phones_at_arms_length():
    assert (button_grid.TARGET_MM, button_grid.MM_PER_INCH, button_grid.LINES) == (9.0, 25.4, 2)
    assert button_grid.SCALES == (1.0, 0.9, 0.8)
    assert (qr_code.LEAST_MM, qr_code.QUIET, qr_code.LEAST_MODULE_PX) == (25.0, 4, 2)
    assert list(qr_code.SIDES) == [17 + 4 * version for version in range(1, 21)]  # ISO/IEC 18004


def test_a_choice_is_meant_and_not_an_accident():
    assert (choice_buttons.FADE_NS, choice_buttons.FLASH_NS) == (140 * NS_PER_MS, 200 * NS_PER_MS)
    assert (choice_buttons.GUARD_NS, choice_buttons.EVERY_NS) == (250 * NS_PER_MS, 250 * NS_PER_MS)
    assert (choice_buttons.STUCK_NS, choice_buttons.TOUCHED_EVERY_NS) == (10 * NS_PER_S, NS_PER_S)
    assert choice_buttons.GLANCE_NS == 1200 * NS_PER_MS


def test_a_live_microphone_is_shown_at_once_and_other_signs_softly():
    assert (ear_signs.FADE_NS, ear_signs.LINGERS_NS) == (150 * NS_PER_MS, 1500 * NS_PER_MS)
    assert ear_signs.AFTER_NS == {"live": 0, "muted": 0}
    assert sign_fade.FADE_NS == 400 * NS_PER_MS


def test_a_page_of_captions_comes_a_little_before_its_first_word():
    assert (caption_pages.LEAD_MS, caption_pages.RISE_MS) == (80.0, 110.0)
