"""The textures of an avatar: the part of each image that its materials use, with the alpha that the renderer expects.

An image is cropped to what is used of it, and its size is limited by its role. atlas.py packs the results into one
texture where the avatar would otherwise take too many draw calls.
"""

from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien.avatar.bake.anatomy import words
from mien.avatar.bake.submesh import Submesh
from mien.avatar.gltf.accessors import Reader
from mien.avatar.gltf.glb import AGAIN, Glb
from mien.avatar.gltf.images import bled, decode_image, resized
from mien.core.mesh import GLASS_SPECULAR, Role
from mien.errors import AvatarError

Rgba = NDArray[np.uint8]
MAX_SIDE: Final = 2048
MARGIN: Final = 4
MAX_PERIODS: Final = 4
# A limit on all textures together: uploading one texel costs about as much as ten frames of one vertex.
MAX_TEXELS: Final = 2048 * 2048 + 1024 * 1024
MAX_IMAGES: Final = 64
SIDE_FOR: Final[dict[Role, int]] = {"mouth": 512, "cloth": 1024, "other": 1024, "eye_left": 512, "eye_right": 512}
# Alpha below which nothing is visible and above which a surface counts as opaque; the share of soft texels that
# makes it blended.
UNSEEN_ALPHA, SOLID_ALPHA = 0.03, 0.95
SOFT_SHARE: Final = 0.3
# The share of dense texels in front of an eye that makes it a highlight.
LEAST_HIGHLIGHT: Final = 0.002
# A clear lens: the most of its colour that is left, and its highlight.
LENS_ALPHA, LENS_GLOSS = 0.12, 90.0
LENS_ROUGHNESS: Final = 0.3
LENS_WORDS: Final = frozenset({"lens", "lenses", "glass"})


@dataclass(kw_only=True)
class SourceTexture:
    """One image in one alpha mode, and the submeshes that sample it. low, high: (2,), the range of UVs in use."""

    image: int
    mode: str
    factor: float
    cutoff: float
    submeshes: list[Submesh] = field(default_factory=list)
    low: NDArray[np.float64] = field(default_factory=lambda: np.zeros(2))
    high: NDArray[np.float64] = field(default_factory=lambda: np.ones(2))
    pixels: Rgba = field(default_factory=lambda: np.full((4, 4, 4), 255, dtype=np.uint8))

    @property
    def repeats(self) -> bool:
        """Whether the UVs in use exceed one period."""
        return bool((self.high - self.low > 1.002).any())


class TextureLoader:
    """Decodes each image once. Call load(), then atlas.build_textures()."""

    def __init__(self, glb: Glb, reader: Reader) -> None:
        self._glb, self._reader = glb, reader
        self._images: dict[int, Rgba] = {}

    def load(self, submeshes: list[Submesh]) -> tuple[list[Submesh], list[SourceTexture]]:
        """The visible submeshes (opaque, masked or blended), and the textures that they sample. Raises AvatarError."""
        sources: dict[tuple[object, ...], SourceTexture] = {}
        visible = []
        for submesh in submeshes:
            mode = self._mode(submesh)
            if mode == "UNSEEN":
                continue
            submesh.alpha, submesh.masked = mode == "BLEND", mode == "MASK"
            submesh.double_sided |= submesh.masked
            visible.append(submesh)
            image = self._image(submesh)
            if image != -1 or mode == "BLEND":
                factor, cutoff = (submesh.material.factor[3], _cutoff(submesh)) if mode != "OPAQUE" else (1.0, 0.5)
                if mode == "BLEND" and self._is_lens(submesh):
                    factor *= LENS_ALPHA / max(self._density(submesh), LENS_ALPHA)
                    submesh.specular, submesh.gloss, submesh.double_sided = GLASS_SPECULAR, LENS_GLOSS, False
                source = SourceTexture(image=image, mode=mode, factor=min(factor, 1.0), cutoff=cutoff)
                sources.setdefault((image, mode, factor, cutoff), source).submeshes.append(submesh)
        used = list(sources.values())
        for source in used:
            self._measure(source)
        return visible, used

    def _image(self, submesh: Submesh) -> int:
        """The index of a submesh's image, -1 for none."""
        if submesh.material.texture == -1:
            return -1
        texture = self._glb.pick("textures", submesh.material.texture)
        webp = texture.extensions.get("EXT_texture_webp")
        source = webp.get("source") if isinstance(webp, dict) else texture.source
        if type(source) is not int:
            kind = "KTX2 is not supported" if "KHR_texture_basisu" in texture.extensions else "it has no image"
            raise AvatarError(
                f"textures[{submesh.material.texture}]: {kind}; export it again with PNG, JPEG or WebP textures"
            )
        if source not in self._images:
            self._decode(source)
        return source

    def _density(self, submesh: Submesh) -> float:
        """The mean alpha of a submesh, 0..1."""
        image, factor = self._image(submesh), submesh.material.factor[3]
        return float(factor if image == -1 else _sampled(self._images[image], submesh)[:, 3].mean() * (factor / 255))

    def _is_lens(self, submesh: Submesh) -> bool:
        """Whether a blended submesh is clear and smooth as glass, or says that it is."""
        if submesh.side or submesh.role in ("hair", "cloth", "skin", "mouth"):
            return False
        named = not LENS_WORDS.isdisjoint(words(submesh.surface.name))
        smooth = submesh.material.roughness < LENS_ROUGHNESS and not submesh.material.unlit
        return self._density(submesh) < 0.75 and (named or smooth or submesh.material.clear)

    def _decode(self, source: int) -> None:
        if len(self._images) == MAX_IMAGES:
            raise AvatarError(
                f"images: more than {MAX_IMAGES} are used; combine them into fewer images before the export"
            )
        image = self._glb.pick("images", source)
        field_ = f"images[{source}]"
        if image.buffer_view is not None:
            data = self._reader.view_bytes(image.buffer_view).tobytes()
        elif image.uri is not None:
            data = self._glb.resource(image.uri, f"{field_}.uri")
        else:
            raise AvatarError(f"{field_}: neither bufferView nor uri; {AGAIN}")
        self._images[source] = decode_image(data, field_, MAX_SIDE)

    def _mode(self, submesh: Submesh) -> str:
        """OPAQUE, MASK, BLEND or UNSEEN, by the texels in use: materials often claim more than they need."""
        if submesh.material.clear:
            return "BLEND"
        if submesh.material.alpha == "OPAQUE":
            return "OPAQUE"
        image = self._image(submesh)
        factor = submesh.material.factor[3]
        alpha = np.array([factor]) if image == -1 else _sampled(self._images[image], submesh)[:, 3] * (factor / 255)
        if submesh.material.alpha == "MASK":
            kept = float((alpha >= _cutoff(submesh)).mean())
            return "UNSEEN" if kept == 0 else "OPAQUE" if kept > 0.998 else "MASK"
        if submesh.side and float(alpha.mean()) < 0.5:
            # A drawn highlight before the iris is small and dense. A cornea is clear all over, and would be milk.
            dense = 0.0 if image == -1 else float((_covered(self._images[image], submesh) * factor > 0.7).mean())
            return "BLEND" if dense > LEAST_HIGHLIGHT else "UNSEEN"
        if float(np.percentile(alpha, 99)) < UNSEEN_ALPHA:
            return "UNSEEN"
        if float(np.percentile(alpha, 2)) > SOLID_ALPHA or (submesh.side and image == -1):
            return "OPAQUE"
        if submesh.side:
            # An iris on a card: what surrounds it must not cover the white.
            return "BLEND" if float((_covered(self._images[image], submesh) * factor < 0.5).mean()) > 0.02 else "OPAQUE"
        soft = float(((alpha > 0.1) & (alpha < 0.9)).mean())
        holes = float((alpha < 0.1).mean())
        # Blended triangles are not sorted, so that overlapping hair strands must be alpha-tested instead.
        cut = submesh.role in ("hair", "cloth", "skin", "mouth") and holes + soft < 1.0
        return "MASK" if cut or (soft < SOFT_SHARE and holes > 0) else "BLEND"

    def _measure(self, source: SourceTexture) -> None:
        if source.image == -1:
            source.pixels[..., 3] = round(255 * source.factor)
            for submesh in source.submeshes:
                submesh.uvs = np.full_like(submesh.uvs, 0.5)
            return
        lows, highs = [], []
        for submesh in source.submeshes:
            used = submesh.uvs[submesh.tris.ravel()]
            shift = np.floor(used.min(axis=0) + 1e-4)
            submesh.uvs = submesh.uvs - shift
            lows.append(used.min(axis=0) - shift)
            highs.append(used.max(axis=0) - shift)
        source.low, source.high = np.min(lows, axis=0).astype(np.float64), np.max(highs, axis=0).astype(np.float64)
        self._cut(source)

    def _cut(self, source: SourceTexture) -> None:
        """Crop the image to the texels in use, and map the submeshes' UVs to 0..1 within them."""
        image = _with_alpha(self._images[source.image], source)
        height, width = image.shape[:2]
        whole = bool((source.high - source.low > 0.7).all()) and bool((source.high <= 1.002).all())
        if whole or source.repeats:
            source.pixels = image
            return
        size = np.array([width, height])
        low = np.floor(source.low * size).astype(int) - MARGIN
        high = np.maximum(np.ceil(source.high * size).astype(int) + MARGIN, low + 1)
        low, high = np.maximum(low, -MARGIN), np.minimum(high, 2 * size + MARGIN)
        rows, columns = np.arange(low[1], high[1]) % height, np.arange(low[0], high[0]) % width
        source.pixels = image[np.ix_(rows, columns)]
        for submesh in source.submeshes:
            submesh.uvs = ((submesh.uvs * size - low) / (high - low)).astype(np.float32)


def separate(sources: list[SourceTexture]) -> list[Rgba]:
    """A texture for each source, with power-of-two sides for mipmaps and repetition. Sets the submeshes' `texture`."""
    sizes = [_size(source) for source in sources]
    while sum(width * height for width, height in sizes) > MAX_TEXELS:
        largest = max(range(len(sizes)), key=lambda i: sizes[i][0] * sizes[i][1])
        sizes[largest] = (max(1, sizes[largest][0] // 2), max(1, sizes[largest][1] // 2))
    for number, source in enumerate(sources):
        for submesh in source.submeshes:
            submesh.texture = number
    return [_finished(resized(source.pixels, *size), source) for source, size in zip(sources, sizes, strict=True)]


def _finished(rgba: Rgba, source: SourceTexture) -> Rgba:
    return bled(rgba) if source.mode != "OPAQUE" else rgba


def _size(source: SourceTexture) -> tuple[int, int]:
    limit = max(SIDE_FOR.get(submesh.role, MAX_SIDE) for submesh in source.submeshes)
    height, width = source.pixels.shape[:2]
    shrink = min(1.0, limit / max(width, height))
    powers = [2 ** round(np.log2(max(1.0, side * shrink))) for side in (width, height)]
    return min(int(powers[0]), limit), min(int(powers[1]), limit)


def _cutoff(submesh: Submesh) -> float:
    return submesh.material.cutoff if submesh.material.alpha == "MASK" else 0.5


def _with_alpha(image: Rgba, source: SourceTexture) -> Rgba:
    """Alpha by mode. OPAQUE: 255. BLEND: times the factor. MASK: rescaled so that the cutoff becomes one half."""
    rgba = image.copy()
    if source.mode == "OPAQUE":
        rgba[..., 3] = 255
        return rgba
    alpha = rgba[..., 3].astype(np.float32) * np.float32(source.factor / 255)
    if source.mode == "MASK":
        alpha = 0.5 + (alpha - source.cutoff) * (0.5 / min(source.cutoff, max(1 - source.cutoff, 0.05)))
    rgba[..., 3] = np.rint(np.clip(alpha, 0, 1) * 255)
    return rgba


def _covered(image: Rgba, submesh: Submesh) -> NDArray[np.float64]:
    """The alpha, 0..1, of the texels in the rectangle of UVs that a submesh uses, (N,)."""
    height, width = image.shape[:2]
    used = submesh.uvs[submesh.tris.ravel()] % 1.0
    low, high = used.min(axis=0), used.max(axis=0)
    rows = slice(int(low[1] * height), max(int(high[1] * height), int(low[1] * height) + 1))
    columns = slice(int(low[0] * width), max(int(high[0] * width), int(low[0] * width) + 1))
    return np.asarray(image[rows, columns, 3].ravel() / 255.0)


def _sampled(image: Rgba, submesh: Submesh) -> NDArray[np.uint8]:
    """Texels (N, 4) of a submesh, four from each triangle: at its centre and three points towards its corners."""
    corners = submesh.uvs[submesh.tris[:: max(1, len(submesh.tris) // 20_000)]]
    shares = np.array([[1, 1, 1], [4, 1, 1], [1, 4, 1], [1, 1, 4]], dtype=np.float32)
    at = np.einsum("sk,fkc->fsc", shares / shares.sum(axis=1, keepdims=True), corners).reshape(-1, 2)
    height, width = image.shape[:2]
    column = np.floor((at[:, 0] % 1) * width).astype(int) % width
    row = np.floor((at[:, 1] % 1) * height).astype(int) % height
    texels: NDArray[np.uint8] = image[row, column]
    return texels
