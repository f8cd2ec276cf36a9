"""What an update needs: of the board's root, of the kiosk."""

from typing import Literal, Protocol

from msgspec import Struct


class Install(Struct, frozen=True, kw_only=True):
    """An installation since the board started. tag: given with it. why: of a failure."""

    tag: str = ""
    state: Literal["none", "running", "done", "failed"] = "none"
    percent: int = 0
    why: str = ""


class BoardState(Struct, frozen=True, kw_only=True):
    """boot: changes at every start of the board (/proc/sys/kernel/random/boot_id). up_s: since then. slot: that runs.

    version, build: of the release that runs. compatible: RAUC's. good: the running slot is marked good. streams: RAUC
    installs from a URL without storing the bundle.
    """

    boot: str
    up_s: float
    slot: str
    version: str
    build: str = ""
    compatible: str = ""
    good: bool
    streams: bool = False
    install: Install = Install()


class Bundle(Struct, frozen=True, kw_only=True):
    """A file, or an address to stream from. ca: a file, for the address; headers: "Name: value"."""

    path: str = ""
    url: str = ""
    ca: str = ""
    headers: tuple[str, ...] = ()


class Inspection(Struct, frozen=True, kw_only=True):
    """A bundle's manifest. why: why this board refuses it, such as its signature; empty if it does not."""

    why: str = ""
    version: str = ""
    build: str = ""


class Board(Protocol):
    """The root's side. Every method raises UpdateError while it cannot be reached; then it is asked again."""

    def look(self) -> BoardState:
        """The board as it is now."""
        ...

    def inspect(self, bundle: Bundle) -> Inspection:
        """Check the signature, and that the bundle is for this board. Changes nothing."""
        ...

    def install(self, bundle: Bundle, tag: str) -> None:
        """Begin to write it to the other slot; `look` tells how it goes. The next start takes that slot."""
        ...

    def reboot(self) -> None:
        """Start the board again, now."""
        ...


class Kiosk(Protocol):
    """The kiosk's side: the visitor, and what proves that the kiosk works."""

    def drain(self, on: bool) -> None:
        """Take no new visitors, or take them again. Called again and again with the same value."""
        ...

    def drained(self) -> bool:
        """Whether nobody is being served and nobody new is taken."""
        ...

    def face_seen(self) -> bool:
        """Whether the face was shown since this process began."""
        ...

    def turn_heard(self) -> bool:
        """Whether a turn was heard at the speaker since this process began."""
        ...

    def rehearse(self) -> None:
        """Speak a short, quiet turn, if nobody is there: a kiosk at night has no visitor who would make it speak."""
        ...
