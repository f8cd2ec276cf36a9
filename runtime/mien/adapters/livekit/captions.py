"""LiveKit's TextOutput that also tells mien what the agent says."""

from __future__ import annotations

from livekit.agents.voice.io import TextOutput

from mien.adapters.livekit.output import MienAudioOutput


class MienCaptions(TextOutput):
    """Passes text on to the transcription that was there before, if any, and to the captions of mien's turns."""

    def __init__(self, output: MienAudioOutput, next_in_chain: TextOutput | None) -> None:
        super().__init__(label="mien", next_in_chain=next_in_chain)
        self._output = output

    async def capture_text(self, text: str) -> None:
        """Take a piece of what the agent says."""
        self._output.take_text(text)
        if self.next_in_chain is not None:
            await self.next_in_chain.capture_text(text)

    def flush(self) -> None:
        """The text of this segment is complete."""
        self._output.end_text()
        if self.next_in_chain is not None:
            self.next_in_chain.flush()
