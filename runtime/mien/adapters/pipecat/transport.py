"""Both of Pipecat's transports on one kiosk."""

from __future__ import annotations

from typing import Any

from pipecat.transports.base_transport import BaseTransport

from mien.adapters.pipecat.input import MienInputTransport
from mien.adapters.pipecat.output import MienOutputTransport
from mien.adapters.pipecat.params import MienParams


class MienTransport(BaseTransport):
    """A kiosk: its face and speaker, and its microphone. params: where its voice is; by default on this machine."""

    def __init__(self, params: MienParams | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._params = params or MienParams()
        self._input: MienInputTransport | None = None
        self._output: MienOutputTransport | None = None

    def input(self) -> MienInputTransport:
        """The microphone."""
        if self._input is None:
            self._input = MienInputTransport(self._params, name=self._input_name)
        return self._input

    def output(self) -> MienOutputTransport:
        """The face and the speaker."""
        if self._output is None:
            self._output = MienOutputTransport(self._params, name=self._output_name)
        return self._output
