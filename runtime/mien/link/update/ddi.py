"""What a hawkBit server says, validated once: its JSON is hostile until it has passed here.

The Direct Device Integration API, version 1: https://eclipse.dev/hawkbit/apis/ddi_api/. Unknown keys are ignored.
"""

import re
from typing import Annotated, Any, Final, Literal, TypeVar
from urllib.parse import SplitResult, urlsplit

import msgspec
from msgspec import Meta, Struct, field

from mien.errors import UpdateError

MAX_JSON_BYTES: Final = 256 * 1024
MAX_HREF: Final = 2000
MIN_SLEEP_S: Final = 10.0
MAX_SLEEP_S: Final = 86_400.0
SUFFIX: Final = ".raucb"
_SLEEP: Final = re.compile(r"(\d{1,3}):([0-5]\d):([0-5]\d)")
_HREF: Final = re.compile(r"[!-~]{1,2000}")

Handling = Literal["skip", "attempt", "forced"]
Href = Annotated[str, Meta(max_length=MAX_HREF)]
Id = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
Name = Annotated[str, Meta(min_length=1, max_length=200)]


class Artifact(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A bundle to fetch. size: in bytes. One of the digests (lowercase hex) is not empty."""

    href: Href
    size: Annotated[int, Meta(ge=1)]
    sha256: Annotated[str, Meta(pattern=r"^([0-9a-f]{64})?$")] = ""
    sha1: Annotated[str, Meta(pattern=r"^([0-9a-f]{40})?$")] = ""


class Deployment(Struct, frozen=True, kw_only=True):
    """An update that the server wants. may_install: its own maintenance window is open, and it does not say skip."""

    action: str
    version: str
    artifact: Artifact
    may_download: bool = True
    may_install: bool = True


class Cancel(Struct, frozen=True, kw_only=True):
    """The server wants an action stopped. id: of the request, which is answered. stop: the action."""

    id: Id
    stop: Id


class Poll(Struct, frozen=True, kw_only=True):
    """Where to look next: hrefs, empty where there is nothing. sleep_s: the server's interval; None if it has none."""

    sleep_s: float | None = None
    deployment: str = ""
    cancel: str = ""
    config: str = ""


class _Link(Struct):
    href: Href = ""


class _Polling(Struct):
    sleep: Annotated[str, Meta(max_length=20)] = ""


class _Config(Struct):
    polling: _Polling = field(default_factory=_Polling)


class _Base(Struct):
    config: _Config = field(default_factory=_Config)
    links: Annotated[dict[Name, _Link], Meta(max_length=20)] = field(name="_links", default_factory=dict)


class _Artifact(Struct):
    filename: Name
    size: Annotated[int, Meta(ge=1)]
    hashes: Annotated[dict[Name, Name], Meta(max_length=10)] = field(default_factory=dict)
    links: Annotated[dict[Name, _Link], Meta(max_length=20)] = field(name="_links", default_factory=dict)


class _Chunk(Struct):
    version: Annotated[str, Meta(max_length=200)] = ""
    artifacts: Annotated[list[_Artifact], Meta(max_length=100)] = field(default_factory=list)


class _Plan(Struct):
    download: Handling = "attempt"
    update: Handling = "attempt"
    window: Literal["available", "unavailable"] = field(name="maintenanceWindow", default="available")
    chunks: Annotated[list[_Chunk], Meta(max_length=100)] = field(default_factory=list)


class _Deployment(Struct):
    id: Id
    deployment: _Plan


class _Stop(Struct):
    stop: Id = field(name="stopId")


class _Cancel(Struct):
    id: Id
    action: _Stop = field(name="cancelAction")


T = TypeVar("T")


def _decoded(body: bytes, kind: type[T], what: str) -> T:
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UpdateError(f"update server: {what}: {error}") from None


def parse_poll(body: bytes) -> Poll:
    """The answer to the poll. Raises UpdateError."""
    base = _decoded(body, _Base, "poll")
    found = _SLEEP.fullmatch(base.config.polling.sleep)
    sleep_s = None
    if found:
        hours, minutes, seconds = map(int, found.groups())
        sleep_s = min(MAX_SLEEP_S, max(MIN_SLEEP_S, hours * 3600.0 + minutes * 60 + seconds))
    links = {name: link.href for name, link in base.links.items()}
    return Poll(
        sleep_s=sleep_s,
        deployment=links.get("deploymentBase", ""),
        cancel=links.get("cancelAction", ""),
        config=links.get("configData", ""),
    )


def parse_deployment(body: bytes, *, plain: bool) -> Deployment:
    """plain: HTTP without TLS is permitted. Raises UpdateError; a final one where this board can never take it."""
    raw = _decoded(body, _Deployment, "deployment")
    plan = raw.deployment
    bundles = [(chunk, each) for chunk in plan.chunks for each in chunk.artifacts if each.filename.endswith(SUFFIX)]
    if len(bundles) != 1:
        raise _unusable(raw.id, f"{len(bundles)} {SUFFIX} files: one is needed")
    chunk, bundle = bundles[0]
    links = [
        bundle.links[name].href for name in ("download", "download-http")[: 2 if plain else 1] if name in bundle.links
    ]
    if not links or not _HREF.fullmatch(links[0]):
        raise _unusable(raw.id, f"{bundle.filename[:80]!r} has no download link")
    sha256, sha1 = (bundle.hashes.get(name, "").lower() for name in ("sha256", "sha1"))
    if not sha256 and not sha1:
        raise _unusable(raw.id, f"{bundle.filename[:80]!r} has neither a sha256 nor a sha1")
    try:
        artifact = msgspec.convert({"href": links[0], "size": bundle.size, "sha256": sha256, "sha1": sha1}, Artifact)
    except msgspec.ValidationError as error:
        raise _unusable(raw.id, str(error)) from None
    return Deployment(
        action=raw.id,
        version=chunk.version,
        artifact=artifact,
        may_download=plan.download != "skip",
        may_install=plan.update != "skip" and plan.window == "available",
    )


def parse_cancel(body: bytes) -> Cancel:
    """A request to stop. Raises UpdateError."""
    raw = _decoded(body, _Cancel, "cancelAction")
    return Cancel(id=raw.id, stop=raw.action.stop)


class Unusable(UpdateError):
    """A deployment that is understood, and that no board can take: its action is closed as a failure."""

    def __init__(self, action: str, why: str) -> None:
        super().__init__(f"deployment {action}: {why}", final=True)
        self.action = action


def _unusable(action: str, why: str) -> Unusable:
    return Unusable(action, why)


def feedback(
    identity: str, execution: str, finished: str, details: str, progress: tuple[int, int] | None = None
) -> dict[str, Any]:
    """The JSON of a feedback. execution, finished: words of DDI."""
    result: dict[str, Any] = {"finished": finished}
    if progress:
        result["progress"] = {"cnt": progress[0], "of": progress[1]}
    return {"id": identity, "status": {"execution": execution, "result": result, "details": [details[:500]]}}


def split(url: str) -> SplitResult:
    """The parts of an http or https URL with a host and without user or fragment. Raises UpdateError for any other."""
    try:
        parts = urlsplit(url)
        sound = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        sound = False
    if not sound or not _HREF.fullmatch(url) or parts.username is not None or parts.password is not None or "#" in url:
        raise UpdateError(f"{url[:120]!r} is no http or https address without a user name")
    return parts
