"""Loss and return of screen, sound card, disk, network, voice stack."""

import time
from pathlib import Path

import numpy as np
import pytest

from hil.board import Board, Speech
from hil.errors import RigError
from hil.rig import fitted
from hil.speech import syllables
from hil.stages import State, wait_until
from hil.voice import ClientStack
from mien.client import Client
from mien.errors import ClientError

BACK_S = 20.0


def opened_again(board: Board) -> bool:
    """Whether the face has opened a display again after losing one: an old frame may stay on the screen.

    On X11, as in the container, a face that loses its display exits and is restarted.
    """
    if "x11" in board.show("mien-face", "Environment"):
        return True
    _, lost, after = board.log("mien-face").rpartition("the display is lost")
    return bool(lost) and "drawing with" in after


@pytest.mark.lg_feature("screen-cable")
def test_a_screen_that_is_pulled_out_costs_no_sample_and_is_found_again(board: Board) -> None:
    with board.speaking(12) as speech:
        fitted(board.rig.unplug_screen)()
        cut_ns = board.rig.clock()
        board.assert_heard_whole(speech)
    with pytest.raises(RigError):
        board.rig.screen.frame()
    began = time.monotonic()
    board.rig.plug_screen()
    wait_until(lambda: opened_again(board), BACK_S * board.rig.patience, "the display to be reopened")
    wait_until(board.stages.shows_face, BACK_S * board.rig.patience, "the face")
    board.findings.figure("screen back: face after", time.monotonic() - began, "s", must="at most 20 s")
    board.findings.waveform("The screen is unplugged", board.rig.ears.sound(), {"out": cut_ns})
    board.await_active("mien-face", within_s=BACK_S)


@pytest.mark.lg_feature("screen-cable")
def test_a_face_that_starts_without_a_screen_waits_for_one(board: Board) -> None:
    board.ask("systemctl stop mien-face")
    fitted(board.rig.unplug_screen)()
    board.ask("systemctl start --no-block mien-face")
    wait_until(
        lambda: board.show("mien-face", "StatusText").startswith("waiting for a display"),
        BACK_S * board.rig.patience,
        "the status",
    )
    assert board.say().reason == "played"
    began = time.monotonic()
    board.rig.plug_screen()
    wait_until(board.stages.shows_face, BACK_S * board.rig.patience, "the face")
    board.findings.figure("screen plugged in late: face after", time.monotonic() - began, "s")
    board.await_active("mien-face", within_s=BACK_S)


@pytest.mark.thorough
@pytest.mark.lg_feature("screen-cable-when-off")
def test_a_board_that_starts_without_a_screen_speaks_and_shows_the_face_once_there_is_one(board: Board) -> None:
    stages, rig = board.stages, board.rig
    stages.to(State.OFF)
    fitted(rig.unplug_screen)()
    rig.power.on()
    wait_until(lambda: board.run("systemctl is-active -q mien-voice").status == 0, 60 * rig.patience, "the voice")
    rig.ears.start()
    assert board.say().reason == "played"
    assert board.show("mien-face", "StatusText").startswith("waiting for a display")
    began = time.monotonic()
    rig.plug_screen()
    wait_until(stages.shows_face, BACK_S * rig.patience, "the face")
    board.findings.figure(
        "screen plugged in after boot: face after", time.monotonic() - began, "s", must="at most 20 s"
    )
    stages.state = State.BOOTED


USB_CARDS = "grep -c USB-Audio /proc/asound/cards"


@pytest.mark.thorough
@pytest.mark.lg_feature("usb-card")
def test_a_usb_sound_card_that_is_pulled_out_is_said_and_taken_again_when_it_is_back(board: Board) -> None:
    fitted(board.rig.plug_usb_card)()
    wait_until(lambda: board.run(USB_CARDS).output == "1", 20 * board.rig.patience, "the card")
    name = board.ask("grep -B0 USB-Audio /proc/asound/cards | sed 's/.*\\[\\(\\S*\\) *\\].*/\\1/'")
    board.configure("mien-voice", playback_device=f'"plughw:CARD={name}"')
    board.await_active("mien-voice", within_s=BACK_S)
    board.await_level("full", BACK_S)
    fitted(board.rig.usb_ears).start()
    with board.speaking(8) as speech:
        fitted(board.rig.unplug_usb_card)()
        out_at = time.monotonic()
        finished = speech.wait(60 * board.rig.patience)
    assert finished is not None
    board.await_level("silent", BACK_S)
    assert board.run(USB_CARDS).output == "0"
    board.findings.figure("USB sound card unplugged: reported after at most", time.monotonic() - out_at, "s")
    board.findings.waveform("The USB sound card is unplugged", fitted(board.rig.usb_ears).sound())
    pid = board.pid("mien-voice")
    began = time.monotonic()
    fitted(board.rig.plug_usb_card)()
    board.await_level("full", BACK_S)
    board.findings.figure("USB sound card back: full after", time.monotonic() - began, "s")
    fitted(board.rig.usb_ears).start()
    assert board.say(2).reason == "played"
    heard = int(np.abs(fitted(board.rig.usb_ears).sound().pcm.astype(int)).max())
    assert heard > 1000, "nothing was heard from the card after it returned"
    assert board.pid("mien-voice") == pid
    board.restore("mien-voice")
    fitted(board.rig.unplug_usb_card)()


@pytest.mark.lg_feature("sink-file")
def test_a_sound_card_that_fails_is_said_time_goes_on_and_it_is_taken_again(board: Board) -> None:
    pid = board.pid("mien-voice")
    with board.speaking(6) as speech:
        board.ask(f"prlimit --pid {pid} --fsize=1000:")
        finished = speech.wait(30 * board.rig.patience)
    assert finished is not None
    wait_until(lambda: "-> silent" in board.log("mien-voice"), 10 * board.rig.patience, "the level")
    assert board.show("mien-voice", "StatusText").startswith("silent")
    began = time.monotonic()
    board.ask(f"prlimit --pid {pid} --fsize=unlimited:")
    board.await_level("full", 15)
    board.findings.figure("sound card back: full after", time.monotonic() - began, "s", must="at most 5 s")
    board.rig.ears.start()
    with board.speaking(3, heard_first_s=0.2) as after:
        board.assert_heard_whole(after)
    assert board.pid("mien-voice") == pid


# Free space is allocated without writing; the blocks reserved for root are written.
FILL = (
    "dd if=/dev/zero of=/run/full bs=1M count=64 status=none; for at in /var /data; do "
    "fallocate -l $(df --output=avail -B1 $at | tail -n 1) $at/full; "
    "dd if=/dev/zero of=$at/full bs=1M oflag=append conv=notrunc status=none; done"
)


def test_a_full_disk_costs_no_sample(board: Board) -> None:
    with board.speaking(8) as speech:
        board.run(FILL, 60)
        board.assert_heard_whole(speech)
    assert board.active("mien-voice", "mien-face")
    board.ask("rm -f /var/full /run/full /data/full")
    board.ask("logger -t rig after-the-full-disk; journalctl --sync")
    assert "after-the-full-disk" in board.ask("journalctl -q -t rig -o cat --no-pager")


def test_a_voice_stack_that_vanishes_leaves_the_floor_to_the_next(board: Board) -> None:
    gone = board.rig.voice.connect()
    speech = Speech(gone, syllables(4))
    wait_until(lambda: speech.heard_s() > 0.5, 10 * board.rig.patience, "sound")
    began = time.monotonic()
    gone._portal.close()  # without a bye, as if the process was killed
    next_one = board.client()
    wait_until(lambda: may_speak(next_one), 20 * board.rig.patience, "the floor")
    board.findings.figure(
        "voice stack vanished: the next one's turn heard after",
        time.monotonic() - began,
        "s",
        must="the 4 s already sent plus its own turn",
    )


def may_speak(client: Client) -> bool:
    """Whether another client's turn is played; what the lost client had sent is played first."""
    try:
        return client.say(syllables(0.5)).reason == "played"
    except ClientError as error:
        if "another client is speaking" in str(error):
            return False
        raise


@pytest.mark.lg_feature("cable")
def test_a_cable_that_is_pulled_out_and_put_back(board: Board, tmp_path: Path) -> None:
    """A voice stack on another machine, with keys: what it had sent of a turn is played, then its next turn."""
    keys = "$(realpath -m /etc/mien/keys)"
    board.ask(
        f"mkdir -p /run/rigkeys && mien keys make rig --role speaker --out /run/rigkeys && chown -R mien-voice {keys}"
    )
    for name in ("rig.key_secret", "voice.key"):
        (tmp_path / name).write_text(board.ask(f"cat /run/rigkeys/{name}") + "\n")
    board.configure("mien-voice", voice_listen='["tcp://*:5570"]')
    board.await_active("mien-voice", within_s=BACK_S)
    board.rig.net.plug()
    stack = ClientStack(lambda: "tcp://169.254.77.2:5570", (tmp_path / "rig.key_secret", tmp_path / "voice.key"))
    with stack.connect() as client:
        assert client.say(syllables(1)).reason == "played"
        speech = Speech(client, syllables(6))
        wait_until(lambda: speech.heard_s() > 1, 10 * board.rig.patience, "sound")
        board.rig.net.unplug()
        time.sleep(3)
        board.rig.net.plug()
        began = time.monotonic()
        finished = speech.wait(60)
    assert finished is None or finished.played_ms <= 6000
    with stack.connect() as client:
        assert client.say(syllables(1)).reason == "played"
    board.findings.figure(
        "cable reconnected: the next turn heard after", time.monotonic() - began, "s", must="at most 20 s"
    )
    board.restore("mien-voice")
