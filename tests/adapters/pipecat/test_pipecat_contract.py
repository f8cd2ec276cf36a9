"""What the adapter relies on in Pipecat, and which versions it takes."""

import inspect

import pytest
from pipecat.frames.frames import PipelineFlushFrame
from pipecat.transports.base_output import BaseOutputTransport

import mien.adapters.pipecat as adapter
from mien.adapters.pipecat.sender import HeardSender

OVERRIDDEN = [
    "_audio_task_handler",
    "_create_audio_task",
    "_bot_stopped_speaking",
    "_enqueue_flushed_audio_buffer",
    "handle_audio_frame",
    "handle_interruptions",
    "handle_timed_frame",
]
CALLED = ["_buffer_audio", "_enqueue_audio_chunk", "_handle_bot_speech", "_handle_frame", "_next_frame",
          "_internal_write_audio_frame", "_take_audio_chunk", "start"]  # fmt: skip


@pytest.mark.parametrize("name", OVERRIDDEN + CALLED)
def test_pipecats_sender_still_has_what_is_overridden_and_called(name):
    theirs = getattr(BaseOutputTransport.MediaSender, name)
    ours = getattr(HeardSender, name)
    assert len(inspect.signature(theirs).parameters) == len(inspect.signature(ours).parameters)


def test_a_flush_frame_on_its_last_leg_is_answered_at_the_end_of_the_pipeline():
    assert PipelineFlushFrame(returning=True).interruptible is False


@pytest.mark.parametrize("version", ["1.14.0", "1.15.2", "1.99"])
def test_supported_versions_are_taken(version):
    adapter.check_version(version)


@pytest.mark.parametrize("version", ["1.4.0", "0.0.108", "2.0.0", "nonsense"])
def test_an_unsupported_version_says_which_are_supported(version):
    with pytest.raises(ImportError, match=r"supported are 1\.14 and later, below 2"):
        adapter.check_version(version)


def test_a_missing_pipecat_says_how_to_install_it():
    with pytest.raises(ImportError, match=r"pip install 'mien\[pipecat\]'"):
        adapter.check_version(None)
