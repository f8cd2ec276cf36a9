"""The textures of an avatar: what its materials use of their pictures, with the alpha that the renderer wants.

A picture is cut to what is used of it, limited in size by what it is for, and put beside the others on one sheet where
the avatar would otherwise take more draw calls than a weak GPU should be asked for.
"""

from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien.avatar.accessors import Reader
from mien.avatar.glb import AGAIN, Glb
from mien.avatar.pictures import bled, decode_picture, resized
from mien.avatar.pieces import Piece
from mien.core.mesh import Role
from mien.errors import AvatarError

Rgba = NDArray[np.uint8]
MAX_SIDE: Final = 2048
MARGIN: Final = 4
MAX_PERIODS: Final = 4
# What all textures together may take: loading one texel costs about as much as a whole vertex does in ten frames.
MAX_TEXELS: Final = 2048 * 2048 + 1024 * 1024
MAX_IMAGES: Final = 64
SIDE_FOR: Final[dict[Role, int]] = {"mouth": 512, "cloth": 1024, "other": 1024, "eye_left": 512, "eye_right": 512}
# Shares of what is sampled: where alpha says that nothing, everything or only outlines are to be seen.
UNSEEN_ALPHA, SOLID_ALPHA = 0.03, 0.95
SOFT_SHARE: Final = 0.3


@dataclass(kw_only=True)
class Coat:
    """One picture in one way of being seen through, and the pieces that wear it. low, high: (2,), the UVs in use."""

    image: int
    mode: str
    factor: float
    cutoff: float
    pieces: list[Piece] = field(default_factory=list)
    low: NDArray[np.float64] = field(default_factory=lambda: np.zeros(2))
    high: NDArray[np.float64] = field(default_factory=lambda: np.ones(2))
    tile: Rgba = field(default_factory=lambda: np.full((4, 4, 4), 255, dtype=np.uint8))

    @property
    def tiled(self) -> bool:
        """Whether the picture is repeated."""
        return bool((self.high - self.low > 1.002).any())


class Painter:
    """Decodes each picture once. Call dress(), then one of separate() and sheet()."""

    def __init__(self, glb: Glb, reader: Reader) -> None:
        self._glb, self._reader = glb, reader
        self._pictures: dict[int, Rgba] = {}

    def dress(self, pieces: list[Piece]) -> tuple[list[Piece], list[Coat]]:
        """The pieces that can be seen, each either opaque, masked or blended, and the coats that they wear."""
        coats: dict[tuple[object, ...], Coat] = {}
        seen = []
        for piece in pieces:
            mode = self._mode(piece)
            if mode == "UNSEEN":
                continue
            piece.alpha, piece.masked = mode == "BLEND", mode == "MASK"
            piece.double_sided |= piece.masked
            seen.append(piece)
            image = self._image(piece)
            if image != -1 or mode == "BLEND":
                factor, cutoff = (piece.look.factor[3], _cutoff(piece)) if mode != "OPAQUE" else (1.0, 0.5)
                coat = Coat(image=image, mode=mode, factor=min(factor, 1.0), cutoff=cutoff)
                coats.setdefault((image, mode, factor, cutoff), coat).pieces.append(piece)
        worn = list(coats.values())
        for coat in worn:
            self._measure(coat)
        return seen, worn

    def _image(self, piece: Piece) -> int:
        """The number of the picture on a piece, -1 for none."""
        if piece.look.texture == -1:
            return -1
        texture = self._glb.pick("textures", piece.look.texture)
        webp = texture.extensions.get("EXT_texture_webp")
        source = webp.get("source") if isinstance(webp, dict) else texture.source
        if type(source) is not int:
            kind = "KTX2 is not read" if "KHR_texture_basisu" in texture.extensions else "it has no picture"
            raise AvatarError(
                f"textures[{piece.look.texture}]: {kind}; export it again with PNG, JPEG or WebP textures"
            )
        if source not in self._pictures:
            self._decode(source)
        return source

    def _decode(self, source: int) -> None:
        if len(self._pictures) == MAX_IMAGES:
            raise AvatarError(f"images: more than {MAX_IMAGES} are used; put them on fewer sheets before the export")
        image = self._glb.pick("images", source)
        field_ = f"images[{source}]"
        if image.buffer_view is not None:
            data = self._reader.view_bytes(image.buffer_view).tobytes()
        elif image.uri is not None:
            data = self._glb.resource(image.uri, f"{field_}.uri")
        else:
            raise AvatarError(f"{field_}: neither bufferView nor uri; {AGAIN}")
        self._pictures[source] = decode_picture(data, field_, MAX_SIDE)

    def _mode(self, piece: Piece) -> str:
        """OPAQUE, MASK, BLEND or UNSEEN, by what the triangles sample, whatever the material says."""
        if piece.look.alpha == "OPAQUE":
            return "OPAQUE"
        image = self._image(piece)
        factor = piece.look.factor[3]
        alpha = np.array([factor]) if image == -1 else _sampled(self._pictures[image], piece)[:, 3] * (factor / 255)
        if piece.look.alpha == "MASK":
            kept = float((alpha >= _cutoff(piece)).mean())
            return "UNSEEN" if kept == 0 else "OPAQUE" if kept > 0.998 else "MASK"
        if float(np.percentile(alpha, 99)) < UNSEEN_ALPHA or (piece.side and float(alpha.mean()) < 0.5):
            return "UNSEEN"
        if float(np.percentile(alpha, 2)) > SOLID_ALPHA or piece.side:
            return "OPAQUE"
        soft = float(((alpha > 0.1) & (alpha < 0.9)).mean())
        holes = float((alpha < 0.1).mean())
        # What is drawn blended is not sorted: locks of hair over each other must be cut out instead.
        cut = piece.role in ("hair", "cloth", "skin", "mouth") and holes + soft < 1.0
        return "MASK" if cut or (soft < SOFT_SHARE and holes > 0) else "BLEND"

    def _measure(self, coat: Coat) -> None:
        if coat.image == -1:
            coat.tile[..., 3] = round(255 * coat.factor)
            for piece in coat.pieces:
                piece.uvs = np.full_like(piece.uvs, 0.5)
            return
        lows, highs = [], []
        for piece in coat.pieces:
            used = piece.uvs[piece.tris.ravel()]
            shift = np.floor(used.min(axis=0) + 1e-4)
            piece.uvs = piece.uvs - shift
            lows.append(used.min(axis=0) - shift)
            highs.append(used.max(axis=0) - shift)
        coat.low, coat.high = np.min(lows, axis=0).astype(np.float64), np.max(highs, axis=0).astype(np.float64)
        self._cut(coat)

    def _cut(self, coat: Coat) -> None:
        """Take the tile out of the picture, and point the pieces' UVs into it, 0..1."""
        picture = _with_alpha(self._pictures[coat.image], coat)
        height, width = picture.shape[:2]
        whole = bool((coat.high - coat.low > 0.7).all()) and bool((coat.high <= 1.002).all())
        if whole or coat.tiled:
            coat.tile = picture
            return
        size = np.array([width, height])
        low = np.floor(coat.low * size).astype(int) - MARGIN
        high = np.maximum(np.ceil(coat.high * size).astype(int) + MARGIN, low + 1)
        low, high = np.maximum(low, -MARGIN), np.minimum(high, 2 * size + MARGIN)
        rows, columns = np.arange(low[1], high[1]) % height, np.arange(low[0], high[0]) % width
        coat.tile = picture[np.ix_(rows, columns)]
        for piece in coat.pieces:
            piece.uvs = ((piece.uvs * size - low) / (high - low)).astype(np.float32)


def separate(coats: list[Coat]) -> list[Rgba]:
    """A texture for each coat, sides powers of two, so that it has mipmaps and repeats. Sets the pieces' `texture`."""
    sizes = [_size(coat) for coat in coats]
    while sum(width * height for width, height in sizes) > MAX_TEXELS:
        largest = max(range(len(sizes)), key=lambda i: sizes[i][0] * sizes[i][1])
        sizes[largest] = (max(1, sizes[largest][0] // 2), max(1, sizes[largest][1] // 2))
    for number, coat in enumerate(coats):
        for piece in coat.pieces:
            piece.texture = number
    return [_finished(resized(coat.tile, *size), coat) for coat, size in zip(coats, sizes, strict=True)]


def _finished(rgba: Rgba, coat: Coat) -> Rgba:
    return bled(rgba) if coat.mode != "OPAQUE" else rgba


def _size(coat: Coat) -> tuple[int, int]:
    limit = max(SIDE_FOR.get(piece.role, MAX_SIDE) for piece in coat.pieces)
    height, width = coat.tile.shape[:2]
    shrink = min(1.0, limit / max(width, height))
    powers = [2 ** round(np.log2(max(1.0, side * shrink))) for side in (width, height)]
    return min(int(powers[0]), limit), min(int(powers[1]), limit)


def _cutoff(piece: Piece) -> float:
    return piece.look.cutoff if piece.look.alpha == "MASK" else 0.5


def _with_alpha(picture: Rgba, coat: Coat) -> Rgba:
    """OPAQUE: 255. BLEND: times the factor. MASK: spread about the cutoff, which the shader takes to be one half."""
    painted = picture.copy()
    if coat.mode == "OPAQUE":
        painted[..., 3] = 255
        return painted
    alpha = painted[..., 3].astype(np.float32) * np.float32(coat.factor / 255)
    if coat.mode == "MASK":
        alpha = 0.5 + (alpha - coat.cutoff) * (0.5 / min(coat.cutoff, max(1 - coat.cutoff, 0.05)))
    painted[..., 3] = np.rint(np.clip(alpha, 0, 1) * 255)
    return painted


def _sampled(picture: Rgba, piece: Piece) -> NDArray[np.uint8]:
    """Texels (N, 4) all over a piece: at the corners' middles and in the middle of each triangle."""
    corners = piece.uvs[piece.tris[:: max(1, len(piece.tris) // 20_000)]]
    shares = np.array([[1, 1, 1], [4, 1, 1], [1, 4, 1], [1, 1, 4]], dtype=np.float32)
    at = np.einsum("sk,fkc->fsc", shares / shares.sum(axis=1, keepdims=True), corners).reshape(-1, 2)
    height, width = picture.shape[:2]
    column = np.floor((at[:, 0] % 1) * width).astype(int) % width
    row = np.floor((at[:, 1] % 1) * height).astype(int) % height
    texels: NDArray[np.uint8] = picture[row, column]
    return texels
