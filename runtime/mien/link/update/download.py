"""Fetches a bundle into a file, on from where an earlier attempt ended."""

import hashlib
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Final

import urllib3

from mien.errors import UpdateError
from mien.link.update.ddi import Artifact
from mien.link.update.http import Http

BLOCK_BYTES: Final = 64 * 1024
SPARE_BYTES: Final = 32_000_000
_RANGE: Final = re.compile(r"bytes (\d{1,15})-(\d{1,15})/(\d{1,15})")


class Download:
    """One bundle. `step` reads for a while, and is called again until the bundle is whole.

    The file is named after the digest: what is there of another bundle is removed, what is there of this one is kept
    over power cuts. A file whose digest is wrong is fetched once more from the beginning where an earlier attempt may
    have spoilt it; else it is the server's fault.
    """

    def __init__(self, http: Http, artifact: Artifact, folder: Path) -> None:
        self._http = http
        self._artifact = artifact
        self._digest = artifact.sha256 or artifact.sha1
        self.path = folder / f"{self._digest[:32]}.raucb"
        self._answer: urllib3.BaseHTTPResponse | None = None
        self._resumed = self.received > 0
        self._spoilt = False
        self.whole = False

    @property
    def received(self) -> int:
        """Bytes that are here."""
        try:
            return self.path.stat().st_size
        except OSError:
            return 0

    def step(self, goes_on: Callable[[], bool]) -> bool:
        """Read while `goes_on` says so. Returns whether the bundle is whole and its digest right.

        Raises UpdateError: a final one where no further attempt can succeed, else try again later.
        """
        if self.whole:
            return True
        try:
            while self.received < self._artifact.size:
                if not goes_on():
                    return False
                self._read(self._answer or self._begin(), goes_on)
        except (urllib3.exceptions.HTTPError, OSError) as error:
            self.close()
            raise UpdateError(f"download: {' '.join(str(error).split())[:200]}") from None
        except UpdateError:
            self.close()
            raise
        self.close()
        self._verify()
        return self.whole

    def close(self) -> None:
        """Let the connection go."""
        if self._answer is not None:
            self._answer.close()
            self._answer = None

    def _begin(self) -> urllib3.BaseHTTPResponse:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        for other in self.path.parent.glob("*.raucb"):
            if other != self.path:
                other.unlink()
        start = self.received
        missing = self._artifact.size - start
        if shutil.disk_usage(self.path.parent).free < missing + SPARE_BYTES:
            raise UpdateError(f"download: {missing // 1_000_000} MB do not fit into {self.path.parent}", final=True)
        answer = self._http.open(self._artifact.href, start)
        self._answer = answer
        if answer.status == 200:
            self._expect_length(answer, self._artifact.size)
            self.path.write_bytes(b"")  # also where the server does not answer ranges
            self._resumed = False
        elif answer.status == 206 and start:
            self._expect_range(answer, start)
            self._resumed = True
        elif answer.status == 416:
            self.path.write_bytes(b"")
            raise UpdateError("download: the server has no such range: again from the beginning")
        else:
            gone = answer.status in (404, 410)
            raise UpdateError(f"download: HTTP {answer.status}", final=gone, status=answer.status)
        return answer

    def _expect_length(self, answer: urllib3.BaseHTTPResponse, wanted: int) -> None:
        if answer.headers.get("Content-Encoding", "identity") != "identity":
            raise UpdateError("download: the server compresses it, though asked not to", final=True)
        told = answer.headers.get("Content-Length")
        if told is not None and told != str(wanted):
            raise UpdateError(f"download: the server sends {told[:20]} bytes, and promised {wanted}", final=True)

    def _expect_range(self, answer: urllib3.BaseHTTPResponse, start: int) -> None:
        size = self._artifact.size
        self._expect_length(answer, size - start)
        told = answer.headers.get("Content-Range", "")
        found = _RANGE.fullmatch(told)
        if not found or tuple(map(int, found.groups())) != (start, size - 1, size):
            raise UpdateError(f"download: the server sends {told[:60]!r}, and {start}-{size - 1} was asked", final=True)

    def _read(self, answer: urllib3.BaseHTTPResponse, goes_on: Callable[[], bool]) -> None:
        size, here = self._artifact.size, self.received
        with self.path.open("ab", buffering=0) as file:
            while here < size and goes_on():
                # read1 returns what has come; a slow server must not hold up a request to cancel.
                block = answer.read1(min(BLOCK_BYTES, size - here))
                if not block:
                    self.close()
                    raise UpdateError(f"download: it was cut after {here} of {size} bytes")
                file.write(block)
                here += len(block)
            if here == size:
                os.fsync(file.fileno())

    def _verify(self) -> None:
        found = hashlib.new("sha256" if self._artifact.sha256 else "sha1", usedforsecurity=False)
        with self.path.open("rb") as file:
            while block := file.read(1 << 20):
                found.update(block)
        self.whole = found.hexdigest() == self._digest
        if self.whole:
            return
        self.path.unlink()
        if self._resumed and not self._spoilt:
            self._spoilt = True
            raise UpdateError("download: the digest is wrong: once more from the beginning")
        raise UpdateError("download: the digest is wrong: the server sends another file than it promised", final=True)
