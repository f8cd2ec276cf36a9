"""What leaves the ear, and what does not."""

import numpy as np
import pytest

from mien.audio import opus
from mien.core.ear_bus import EarHealth, UserStarted, UserStopped
from mien.errors import ConfigError
from rigs.ear_rig import MS, EarRig, MadeCapture


def seqs(rig, *, speech=None):
    return [message.seq for message, _ in rig.heard if speech is None or message.speech == speech]


def test_events_are_sent_though_nobody_listens_and_sound_is_not():
    rig = EarRig()
    rig.run_ms(1000)
    rig.start_speech(ms_ago=100)
    rig.run_ms(200)
    rig.stop_speech()
    rig.run_ms(200)
    assert [message.utterance for message in rig.told(UserStarted)] == [1]
    assert [message.utterance for message in rig.told(UserStopped)] == [1]
    assert rig.heard == []


def test_a_listener_gets_the_preroll_the_utterance_and_nothing_else():
    rig = EarRig(preroll_ms=300)
    rig.order("s16le")
    rig.run_ms(2000)
    assert rig.heard == []
    began_ns = rig.clock.now_ns() - 160 * MS
    rig.start_speech(ms_ago=160)
    rig.run_ms(400)
    rig.stop_speech()
    rig.run_ms(1000)
    blocks = [message for message, _ in rig.heard]
    assert all(message.speech and message.encoding == "s16le" for message in blocks)
    assert [message.seq for message in blocks] == list(range(blocks[0].seq, blocks[-1].seq + 1))
    assert 0 <= began_ns - 300 * MS - blocks[0].at_ns < 20 * MS
    stopped = rig.told(UserStopped)[0]
    assert abs(stopped.at_ns - blocks[-1].at_ns) <= 20 * MS


def test_the_start_is_told_before_its_sound_and_the_end_after_it():
    rig = EarRig()
    rig.order("s16le")
    rig.run_ms(600)
    rig.start_speech()
    rig.run_ms(100)
    rig.stop_speech()
    rig.run_ms(100)
    kinds = [type(message).__name__ for message, _ in rig.reports if not isinstance(message, EarHealth)]
    assert kinds[0] == "UserStarted"
    assert kinds[-1] == "UserStopped"
    assert set(kinds[1:-1]) == {"NearEnd"}


def test_sound_is_the_captured_one_in_order():
    rig = EarRig(rate_hz=16000, preroll_ms=200)
    rig.order("s16le")
    rig.run_ms(1000)
    rig.start_speech()
    rig.run_ms(200)
    heard = np.frombuffer(b"".join(payload for _, payload in rig.heard), "<i2")
    first = rig.heard[0][0].seq * 320
    assert np.array_equal(heard, np.arange(first, first + len(heard)) % 30000)


def test_utterances_that_follow_closely_share_no_sound():
    rig = EarRig(preroll_ms=300)
    rig.order("s16le")
    rig.run_ms(1000)
    for utterance in (1, 2):
        rig.start_speech(utterance=utterance)
        rig.run_ms(200)
        rig.stop_speech(utterance=utterance)
        rig.run_ms(100)
    assert len(seqs(rig)) == len(set(seqs(rig)))
    assert seqs(rig) == sorted(seqs(rig))


def test_whoever_wants_all_sound_gets_it_and_the_preroll_comes_again_as_speech():
    rig = EarRig(preroll_ms=300)
    rig.order("s16le", always=True)
    rig.run_ms(1000)
    rig.start_speech()
    rig.run_ms(100)
    silent, spoken = seqs(rig, speech=False), seqs(rig, speech=True)
    assert silent == list(range(len(silent)))
    assert spoken == list(range(spoken[0], spoken[-1] + 1))
    again = set(silent) & set(spoken)
    assert len(again) == pytest.approx(300 / 20, abs=1)
    assert set(silent) | set(spoken) == set(range(spoken[-1] + 1))


def test_a_withdrawn_order_ends_at_once_and_the_voice_s_silence_after_three_seconds():
    rig = EarRig()
    rig.order("s16le", always=True)
    rig.run_ms(1000)
    rig.order()
    count = len(rig.heard)
    assert count > 40
    rig.run_ms(1000)
    assert len(rig.heard) == count
    rig.order("s16le", always=True)
    rig.run_ms(10_000)
    assert len(rig.heard) - count == pytest.approx(3000 / 20, abs=3)


def test_muted_nothing_leaves_and_the_voice_is_told():
    rig = EarRig()
    rig.order("s16le", always=True)
    rig.run_ms(1000)
    count = len(rig.heard)
    rig.order("s16le", always=True, muted=True)
    rig.run_ms(200)
    rig.start_speech()
    rig.run_ms(300)
    rig.stop_speech()
    rig.run_ms(1000)
    assert len(rig.heard) == count
    assert rig.told(UserStarted) == rig.told(UserStopped) == []
    assert (rig.health.state, rig.health.why) == ("muted", "by a client")
    assert (rig.health.level_dbfs, rig.health.clean_dbfs) == (-100, -100)


def test_what_was_said_while_muted_does_not_leave_after_it():
    rig = EarRig(preroll_ms=1000)
    rig.order("s16le", muted=True)
    rig.run_ms(2000)
    rig.order("s16le")
    rig.run_ms(100)
    unmuted_at = 2000 // 20
    rig.start_speech(ms_ago=500)
    rig.run_ms(100)
    assert min(seqs(rig)) >= unmuted_at
    assert rig.told(UserStarted)[0].at_ns >= 10**10 + 2000 * MS


def test_a_mute_ends_the_utterance_and_an_unmute_begins_it_again():
    rig = EarRig()
    rig.order("s16le")
    rig.run_ms(500)
    rig.start_speech(utterance=7)
    rig.run_ms(300)
    rig.order("s16le", muted=True)
    rig.run_ms(300)
    stopped = rig.told(UserStopped)
    assert [(message.utterance, message.started_ns) for message in stopped] == [(7, rig.told(UserStarted)[0].at_ns)]
    rig.order("s16le")
    rig.run_ms(300)
    again = rig.told(UserStarted)[1]
    assert again.utterance == 7
    assert again.at_ns == pytest.approx(rig.clock.now_ns() - 280 * MS, abs=1)
    rig.stop_speech(utterance=7)
    rig.run_ms(100)
    assert rig.told(UserStopped)[1].started_ns == again.at_ns


def test_a_card_that_is_unplugged_ends_the_utterance_at_its_last_sound():
    rig = EarRig(rate_hz=16000)
    rig.order("s16le")
    rig.run_ms(500)
    rig.start_speech(utterance=3)
    rig.run_ms(300)
    last_ns = rig.heard[-1][0].at_ns + 20 * MS
    rig.cards[0].fails = "hw:1: the device is gone"
    rig.run_ms(3000)
    assert [(message.utterance, message.at_ns) for message in rig.told(UserStopped)] == [(3, last_ns)]
    count = len(rig.heard)
    rig.stop_speech(utterance=3)  # the pipeline ends it, too, when the card is back
    rig.run_ms(1000)
    assert len(rig.told(UserStopped)) == 1
    assert len(rig.heard) == count


def test_the_configuration_s_mute_cannot_be_withdrawn():
    rig = EarRig(muted=True)
    rig.order("s16le", always=True)
    rig.run_ms(500)
    assert rig.heard == []
    assert (rig.health.state, rig.health.why) == ("muted", "by the configuration: ear.muted")


@pytest.mark.skipif(not opus.available(), reason="libopus0 is not installed")
def test_opus_packets_decode_to_what_was_said():
    def tone(first, count):
        return 8000 * np.sin(2 * np.pi * 300 * np.arange(first, first + count) / 16000)

    rig = EarRig(preroll_ms=200, opener=lambda _, clock: MadeCapture(clock, 16000, sound=tone))
    rig.order("opus", "s16le")
    rig.run_ms(1000)
    rig.start_speech()
    rig.run_ms(500)
    packets = [payload for message, payload in rig.heard if message.encoding == "opus"]
    plain = np.frombuffer(b"".join(payload for message, payload in rig.heard if message.encoding == "s16le"), "<i2")
    assert len(packets) == len(plain) // 320
    assert sum(map(len, packets)) < len(plain) / 2  # a quarter of s16le at most
    decoder = opus.OpusDecoder(16000)
    decoded = np.concatenate([decoder.decode(packet) for packet in packets])[3200:]
    rms = float(np.sqrt(np.mean(decoded.astype(float) ** 2)))
    assert rms == pytest.approx(8000 / 2**0.5, rel=0.2)


def test_opus_that_cannot_be_had_is_counted_and_harms_nobody_else(monkeypatch):
    def refuse(*_):
        raise ConfigError("libopus.so.0 cannot be loaded")

    monkeypatch.setattr("mien.ear.outlet.OpusEncoder", refuse)
    rig = EarRig()
    rig.order("opus", "s16le", always=True)
    rig.run_ms(1100)
    assert {message.encoding for message, _ in rig.heard} == {"s16le"}
    assert rig.health.counters["opus_unavailable"] == 1
