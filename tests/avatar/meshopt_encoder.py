"""An encoder of EXT_meshopt_compression, written from the extension's text, to test the decoder.

It uses every encoding of a group of bytes and every kind of triangle code where possible.
"""

import numpy as np


def encode_attributes(rows: np.ndarray) -> bytes:
    """Bytes (N, stride) as an ATTRIBUTES stream."""
    count, stride = rows.shape
    out, last = bytearray([0xA0]), np.zeros(stride, dtype=np.uint8)
    first = rows[0].astype(np.uint8) if count else last
    last = first
    block = min(256, (8192 // stride) & ~15)
    for start in range(0, count, block):
        part = rows[start : start + block].astype(np.uint8)
        for k in range(stride):
            delta = np.diff(part[:, k], prepend=last[k]).astype(np.int8).astype(np.int16)
            zigzag = ((delta << 1) ^ (delta >> 7)).astype(np.uint8)
            out += _plane(np.pad(zigzag, (0, -len(zigzag) % 16)))
        last = part[-1]
    return bytes(out) + bytes(max(32 - stride, 0)) + first.tobytes()


def _plane(values: np.ndarray) -> bytes:
    groups = [_group(values[i : i + 16].tolist()) for i in range(0, len(values), 16)]
    header = bytearray(-(-len(groups) // 4))
    for i, (code, _) in enumerate(groups):
        header[i // 4] |= code << (2 * (i % 4))
    return bytes(header) + b"".join(body for _, body in groups)


def _group(values: list[int]) -> tuple[int, bytes]:
    """The shortest of: all zero, two bits each, four bits each, whole bytes."""
    options = [(3, bytes(values))]
    if not any(values):
        options.append((0, b""))
    for code, bits in ((1, 2), (2, 4)):
        sentinel, per = (1 << bits) - 1, 8 // bits
        packed = bytearray(16 // per)
        for i, value in enumerate(values):
            packed[i // per] |= min(value, sentinel) << (8 - bits * (i % per + 1))
        options.append((code, bytes(packed) + bytes(value for value in values if value >= sentinel)))
    return min(options, key=lambda option: len(option[1]))


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


def _zigzag(value: int) -> int:
    return value << 1 if value >= 0 else (-value << 1) - 1


def encode_indices(indices: list[int]) -> bytes:
    """An INDICES stream that alternates between its two baselines."""
    out, last = bytearray([0xD1]), [0, 0]
    for i, index in enumerate(indices):
        which = int(abs(index - last[1]) < abs(index - last[0])) if i % 3 else 0
        out += _varint(_zigzag(index - last[which]) << 1 | which)
        last[which] = index
    return bytes(out) + bytes(4)


class TriangleEncoder:
    """A TRIANGLES stream: shared edges by the edge FIFO, corners by the vertex FIFO, the rest written out."""

    def __init__(self) -> None:
        self.edges: list[tuple[int, int]] = []
        self.vertices: list[int] = []
        self.following = self.last = 0
        self.codes, self.data = bytearray(), bytearray()

    def encode(self, tris: list[tuple[int, int, int]]) -> bytes:
        for tri in tris:
            self._triangle(tri)
        return bytes([0xE1]) + bytes(self.codes) + bytes(self.data) + bytes(16)

    def _triangle(self, tri: tuple[int, int, int]) -> None:
        for turn in range(3):
            a, b, c = tri[turn:] + tri[:turn]
            for back, edge in enumerate(reversed(self.edges[-15:])):
                if edge == (a, b):
                    self._by_edge(back, a, b, c)
                    return
        self._whole(*tri)

    def _by_edge(self, back: int, a: int, b: int, c: int) -> None:
        recent = list(reversed(self.vertices))
        if c == self.following:
            self.codes.append(back << 4)
            self.following += 1
            self._push_vertex(c)
        elif c in recent[1:13]:
            self.codes.append(back << 4 | recent.index(c, 1))
        elif abs(c - self.last) == 1:
            self.codes.append(back << 4 | (13 if c < self.last else 14))
            self.last = c
            self._push_vertex(c)
        else:
            self.codes.append(back << 4 | 15)
            self._free(c)
            self._push_vertex(c)
        self.edges += [(c, b), (a, c)]

    def _whole(self, a: int, b: int, c: int) -> None:
        is_new = a == self.following
        self.codes.append(0xFE if is_new else 0xFF)
        spot = len(self.data)
        self.data.append(0)
        self.following += is_new
        codes = []
        for v in (b, c):
            recent = list(reversed(self.vertices))
            if v == self.following:
                codes.append(0)
                self.following += 1
            elif v in recent[:14]:
                codes.append(recent.index(v) + 1)
            else:
                codes.append(15)
        self.data[spot] = codes[0] << 4 | codes[1]
        if self.data[spot] == 0:  # would mean that the count starts again: both are written out, and not counted
            codes = [15, 15]
            self.data[spot] = 0xFF
            self.following -= 2
        for v, free in ((a, not is_new), (b, codes[0] == 15), (c, codes[1] == 15)):
            if free:
                self._free(v)
        self._push_vertex(a)
        for v, code in ((b, codes[0]), (c, codes[1])):
            if code in (0, 15):
                self._push_vertex(v)
        self.edges += [(b, a), (c, b), (a, c)]

    def _free(self, v: int) -> None:
        self.data += _varint(_zigzag(v - self.last))
        self.last = v

    def _push_vertex(self, v: int) -> None:
        self.vertices.append(v)
