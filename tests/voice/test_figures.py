"""Figures of the voice that its pages promise, that the face and the ear count on, or that bound its memory.

Other tests take them from the source, so that a figure that is ten times what it should be would pass them.
"""

from mien.config import Config
from mien.core.wire import MAX_CHUNK_BYTES
from mien.units import NS_PER_MS, NS_PER_S
from mien.voice import (
    admission,
    caption_cues,
    captions,
    device_stream,
    ear_link,
    engine,
    far_end,
    limits,
    listeners,
    message_handler,
    observers,
    orphans,
    pcm,
    phone_cues,
    phones,
    playback,
    playout_log,
    preroll,
    presence,
    publisher,
    rebuffer,
    service,
    session_log_writer,
    sessions,
    sinks,
    turn_queue,
)

MB = 1_000_000


def test_who_is_gone_is_noticed_after_two_or_three_reports_that_did_not_come():
    """The face and the ear report once a second."""
    assert preroll.FACE_TIMEOUT_NS == 2.5 * NS_PER_S
    assert ear_link.PRESENT_NS == 3 * NS_PER_S


def test_the_face_is_told_in_time_and_not_more_than_it_can_take():
    """Blocks of 20 ms; anchors every 20 ms in speech and four times a second otherwise."""
    assert (publisher.BLOCK_FRAMES, publisher.MESSAGES_A_STEP) == (320, 10)
    assert publisher.KEEP_BEHIND_NS == 500 * NS_PER_MS
    assert (publisher.ANCHOR_NS, publisher.IDLE_ANCHOR_NS) == (20 * NS_PER_MS, 250 * NS_PER_MS)
    assert (caption_cues.CUE_BYTES, caption_cues.CUE_BYTES_A_SECOND) == (65_536, 65_536.0)
    assert caption_cues.CUE_EVERY_NS == 100 * NS_PER_MS
    assert (caption_cues._CUE_BYTES, caption_cues._WORD_BYTES) == (256, 16)
    assert (phone_cues.WORDS_A_CUE, phone_cues.CUES_A_STEP) == (250, 2)
    assert presence.EVERY_NS == 250 * NS_PER_MS
    assert presence.SOURCES == 16


def test_what_a_client_may_leave_in_memory_is_bounded():
    """The unit has 128 MB. PROTOCOL.md tells clients the first two."""
    assert (captions.BYTES_EACH, captions.WORD_BYTES) == (1 * MB, 200)
    assert (phones.BYTES_EACH, phones.WORD_BYTES) == (1.5 * MB, 300)
    assert turn_queue.REMEMBERED_TURNS == 512
    assert (orphans.SESSIONS_KEPT, orphans.ENDS_KEPT, orphans.KEPT_NS) == (32, 64, 60 * NS_PER_S)
    assert admission.REPLACED_TOLD == 64
    assert (session_log_writer.MAX_WAITING, session_log_writer.MAX_WAITING_BYTES) == (4_000, 4 * MB)
    assert session_log_writer.MAX_WAITING_BYTES > 2 * MAX_CHUNK_BYTES
    assert playout_log.PAST_SEGMENTS == 16
    assert pcm.BLOCK_FRAMES == 256


def test_a_client_may_send_two_seconds_worth_at_once_and_is_told_five_times_a_second_of_refusals():
    assert (limits.BURST_S, limits.ERRORS_A_SECOND, limits.BYTES_A_KB) == (2.0, 5.0, 1000)
    assert message_handler.AUDIO_HEADER_BYTES == 400


def test_observers_are_told_levels_ten_times_a_second_and_share_two_pictures_a_second():
    assert observers.LEVELS_NS == 100 * NS_PER_MS
    assert observers.THUMBNAIL_EVERY_NS == 500 * NS_PER_MS
    assert observers.THUMBNAIL_PATIENCE_NS == 2 * NS_PER_S
    assert (listeners.TOLD_NS, listeners.RESTARTED_BLOCKS) == (NS_PER_S, 500)
    assert sessions.PATIENCE_NS == 500 * NS_PER_MS


def test_the_device_is_fed_in_time_and_tried_again_every_two_seconds():
    assert (playback.BUSY_NS, playback.RELEASED_NS) == (5 * NS_PER_MS, 100 * NS_PER_MS)
    assert (device_stream.WINDOW, device_stream.JUMP_NS) == (64, 15 * NS_PER_MS)
    assert (sinks.RETRY_NS, sinks.SPARE_ROOM) == (2 * NS_PER_S, 2)
    target_ms = Config().playback.buffer_ms
    assert playback.LAST_DROP * target_ms == 10  # two steps
    assert round(device_stream.IDLE_RESERVE * target_ms, 6) == 7
    assert preroll.RESERVE_MS == 20
    assert pcm.SLICE_MS == 20


def test_a_stall_waits_for_speech_and_not_for_ever():
    assert (rebuffer.CALM_NS, rebuffer.PATIENCE_NS) == (10 * NS_PER_S, NS_PER_S)
    assert (rebuffer.HELD_BACK_MS, rebuffer.LEAST_MS) == (5, 10)


def test_the_far_end_reaches_beyond_the_resampler_and_stands_still_ahead_of_the_next_step():
    assert (far_end.REACH_MS, far_end.QUIET_MS) == (5, 10)
    assert far_end.TAIL_NS == NS_PER_S
    assert far_end.STILL_NS == 250 * NS_PER_MS > 2 * playback.RELEASED_NS


def test_the_loop_wakes_ten_times_a_second_at_least_and_no_flood_holds_the_device_up():
    assert (service.MAX_WAIT_MS, service.CHORES_NS) == (100, 250 * NS_PER_MS)
    assert (service.MAX_RECEIVE_NS, service.MAX_HEAR_NS) == (3 * NS_PER_MS, NS_PER_MS)
    assert service.MAX_RECEIVE_NS + service.MAX_HEAR_NS < playback.BUSY_NS
    assert engine.KEEPALIVE_NS == 2 * NS_PER_S
    assert session_log_writer.CLOSE_S == 0.5
