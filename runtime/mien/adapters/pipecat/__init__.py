"""Pipecat's transports on mien: a pipeline's bot speaks with a face; it hears through mien-ear.

    MienTransport        both, for a pipeline of one bot
    MienOutputTransport  speech: frames leave it when they were heard
    MienInputTransport   the customer, without echo
    MienRelayedFrame     what a supervisor relays
    MienSegmentFinishedFrame  how much of a segment was heard

Needs the extra mien[pipecat]. The output transport overrides internals of Pipecat's, hence the range of versions.
"""

from typing import Final

from mien.adapters.supported import fits, installed

SUPPORTED: Final = "1.14 and later, below 2"


def check_version(found: str | None) -> None:
    """Raises ImportError for a Pipecat that is missing, None, or unsupported."""
    if found is None:
        raise ImportError(f"Pipecat is not installed; pip install 'mien[pipecat]' brings {SUPPORTED}")
    if not fits(found, (1, 14), (2,)):
        raise ImportError(
            f"Pipecat {found} is not supported; supported are {SUPPORTED}: pip install 'pipecat-ai>=1.14,<2'"
        )


check_version(installed("pipecat-ai"))  # before the imports, which fail on another release with a message of its own

from mien.adapters.pipecat.frames import MienRelayedFrame, MienSegmentFinishedFrame  # noqa: E402
from mien.adapters.pipecat.input import MienInputTransport  # noqa: E402
from mien.adapters.pipecat.output import MienOutputTransport  # noqa: E402
from mien.adapters.pipecat.params import MienParams  # noqa: E402
from mien.adapters.pipecat.transport import MienTransport  # noqa: E402

__all__ = [
    "SUPPORTED",
    "MienInputTransport",
    "MienOutputTransport",
    "MienParams",
    "MienRelayedFrame",
    "MienSegmentFinishedFrame",
    "MienTransport",
]
