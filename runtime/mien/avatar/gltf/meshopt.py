"""A decoder for EXT_meshopt_compression, the streams of meshoptimizer.

The bitstreams follow the appendix of the extension (Khronos): attributes are blocks of byte planes, with deltas in
groups of 16; triangles refer to edge and vertex FIFOs.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien.errors import AvatarError

BYTE_GROUP, BLOCK_BYTES, MAX_BLOCK = 16, 8192, 256


def decode(data: NDArray[np.uint8], mode: str, filter_: str, count: int, stride: int) -> NDArray[np.uint8]:
    """The bytes of a buffer view, uint8 (count * stride). Raises AvatarError for an invalid stream."""
    try:
        if mode == "ATTRIBUTES":
            decoded = _attributes(data.tobytes(), count, stride)
        elif mode == "TRIANGLES":
            decoded = _index_bytes(_triangles(data.tobytes(), count), stride)
        elif mode == "INDICES":
            decoded = _index_bytes(_indices(data.tobytes(), count), stride)
        else:
            raise AvatarError(f"EXT_meshopt_compression: mode {mode[:20]!r} is unknown")
    except (IndexError, ValueError, KeyError) as error:
        raise AvatarError(f"EXT_meshopt_compression: the {mode} stream is damaged ({error})") from None
    strides = _STRIDES.get(filter_)
    if strides is None or (filter_ != "NONE" and (mode != "ATTRIBUTES" or stride not in strides)):
        raise AvatarError(f"EXT_meshopt_compression: filter {filter_[:20]!r} is not allowed for {mode}, {stride} bytes")
    with np.errstate(all="ignore"):
        return _FILTERS[filter_](decoded, count, stride)


def _attributes(data: bytes, count: int, stride: int) -> NDArray[np.uint8]:
    if data[0] != 0xA0:
        raise ValueError(f"header {data[0]:#x}; only version 0 of the codec is supported, which gltfpack -c writes")
    if stride % 4 or not 0 < stride <= 256:
        raise ValueError(f"stride {stride}")
    block = min(MAX_BLOCK, (BLOCK_BYTES // stride) & ~(BYTE_GROUP - 1))
    out = np.empty((count, stride), dtype=np.uint8)
    last = np.frombuffer(data[len(data) - stride :], dtype=np.uint8)
    at = 1
    for start in range(0, count, block):
        rows = min(block, count - start)
        for k in range(stride):
            deltas, at = _byte_plane(data, at, rows)
            zigzag = (deltas >> 1) ^ (0 - (deltas & 1)).astype(np.uint8)
            zigzag[:1] += last[k]
            out[start : start + rows, k] = np.cumsum(zigzag, dtype=np.uint8)
        last = out[start + rows - 1]
    return out.reshape(-1)


def _byte_plane(data: bytes, at: int, rows: int) -> tuple[NDArray[np.uint8], int]:
    groups = -(-rows // BYTE_GROUP)
    head = data[at : at + -(-groups // 4)]
    at += len(head)
    out = bytearray(groups * BYTE_GROUP)
    for group in range(groups):
        bits = (0, 2, 4, 8)[head[group >> 2] >> (2 * (group & 3)) & 3]
        if bits:
            values, at = _group(data, at, bits)
            out[group * BYTE_GROUP : (group + 1) * BYTE_GROUP] = values
    return np.frombuffer(out, dtype=np.uint8)[:rows], at


def _unpacked(bits: int) -> tuple[bytes, ...]:
    return tuple(bytes(byte >> shift & (1 << bits) - 1 for shift in range(8 - bits, -1, -bits)) for byte in range(256))


_UNPACKED = {2: _unpacked(2), 4: _unpacked(4)}


def _group(data: bytes, at: int, bits: int) -> tuple[bytes, int]:
    """16 values of `bits` bits each. A value of all ones is an escape: its byte follows after the group."""
    extra = at + 2 * bits
    packed = data[at:extra]
    if len(packed) < 2 * bits:
        raise IndexError("the data ends inside a group")
    if bits == 8:
        return packed, extra
    table, sentinel = _UNPACKED[bits], (1 << bits) - 1
    values = b"".join([table[byte] for byte in packed])
    if sentinel not in values:
        return values, extra
    whole = bytearray(values)
    for i, value in enumerate(values):
        if value == sentinel:
            whole[i] = data[extra]
            extra += 1
    return bytes(whole), extra


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    for _ in range(5):
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            break
    return value, at


def _unzigzag(value: int) -> int:
    return value >> 1 ^ -(value & 1)


def _triangles(data: bytes, count: int) -> list[int]:
    if data[0] != 0xE1 or count % 3:
        raise ValueError(f"header {data[0]:#x}, {count} indices")
    edges: list[tuple[int, int]] = [(-1, -1)] * 16
    fifo: list[int] = [-1] * 16
    edge_at = fifo_at = following = last = 0
    codes, at = 1, 1 + count // 3
    table = data[len(data) - 16 :]
    out: list[int] = []

    def push_edge(a: int, b: int) -> None:
        nonlocal edge_at
        edges[edge_at], edge_at = (a, b), (edge_at + 1) & 15

    def push(v: int) -> None:
        nonlocal fifo_at
        fifo[fifo_at], fifo_at = v, (fifo_at + 1) & 15

    def free() -> int:
        nonlocal at, last
        value, at = _varint(data, at)
        last += _unzigzag(value)
        return last

    for triangle in range(count // 3):
        code = data[codes + triangle]
        if code < 0xF0:
            a, b = edges[(edge_at - 1 - (code >> 4)) & 15]
            fec = code & 15
            if fec < 13:
                if fec == 0:
                    c, following = following, following + 1
                    push(c)
                else:
                    c = fifo[(fifo_at - 1 - fec) & 15]
            else:
                last = c = last + (1 if fec == 14 else -1) if fec != 15 else free()
                push(c)
            push_edge(c, b)
            push_edge(a, c)
        else:
            if code < 0xFE:
                aux, a_code = table[code & 15], 0
            else:
                aux, at = data[at], at + 1
                a_code = 0 if code == 0xFE else 15
                if aux == 0:
                    following = 0
            b_code, c_code = aux >> 4, aux & 15
            if a_code == 0:
                a, following = following, following + 1
            if b_code == 0:
                b, following = following, following + 1
            elif b_code < 15:
                b = fifo[(fifo_at - b_code) & 15]
            if c_code == 0:
                c, following = following, following + 1
            elif c_code < 15:
                c = fifo[(fifo_at - c_code) & 15]
            if a_code == 15:
                a = free()
            if b_code == 15:
                b = free()
            if c_code == 15:
                c = free()
            push(a)
            if b_code in (0, 15):
                push(b)
            if c_code in (0, 15):
                push(c)
            push_edge(b, a)
            push_edge(c, b)
            push_edge(a, c)
        out += (a, b, c)
    return out


def _indices(data: bytes, count: int) -> list[int]:
    if data[0] != 0xD1:
        raise ValueError(f"header {data[0]:#x}")
    last, at, out = [0, 0], 1, []
    for _ in range(count):
        value, at = _varint(data, at)
        which = value & 1
        last[which] += _unzigzag(value >> 1)
        out.append(last[which])
    return out


def _index_bytes(indices: list[int], stride: int) -> NDArray[np.uint8]:
    values = np.array(indices, dtype=np.int64)
    if values.size and (values.min() < 0 or values.max() >= 1 << (8 * stride)):
        raise ValueError("an index is out of range")
    return values.astype({2: "<u2", 4: "<u4"}[stride]).view(np.uint8)


def _keep(data: NDArray[np.uint8], _count: int, _stride: int) -> NDArray[np.uint8]:
    return data


def _octahedral(data: NDArray[np.uint8], count: int, stride: int) -> NDArray[np.uint8]:
    kind: Any = {4: np.int8, 8: np.int16}[stride]
    values = data.view(kind).reshape(count, 4).copy()
    one = np.abs(values[:, 2].astype(np.float64)).clip(1)
    x, y = values[:, 0] / one, values[:, 1] / one
    z = 1 - np.abs(x) - np.abs(y)
    fold = np.minimum(z, 0)
    x, y = x + np.where(x >= 0, fold, -fold), y + np.where(y >= 0, fold, -fold)
    scale = np.iinfo(kind).max / np.sqrt(x * x + y * y + z * z)
    values[:, :3] = np.rint(np.stack([x, y, z], axis=1) * scale[:, None])
    packed: NDArray[np.uint8] = values.reshape(-1).view(np.uint8)
    return packed


def _quaternion(data: NDArray[np.uint8], count: int, _stride: int) -> NDArray[np.uint8]:
    values = data.view("<i2").reshape(count, 4)
    largest = values[:, 3] & 3
    scale = 1 / np.sqrt(2) / (values[:, 3] | 3).astype(np.float64)
    xyz = values[:, :3] * scale[:, None]
    w = np.sqrt(np.clip(1 - (xyz**2).sum(axis=1), 0, None))
    out = np.zeros((count, 4))
    rows = np.arange(count)
    for k in range(3):
        out[rows, (largest + 1 + k) & 3] = xyz[:, k]
    out[rows, largest] = w
    packed: NDArray[np.int16] = np.rint(out * 32767).astype("<i2")
    return packed.reshape(-1).view(np.uint8)


def _exponential(data: NDArray[np.uint8], _count: int, _stride: int) -> NDArray[np.uint8]:
    values = data.view("<i4")
    exponent, mantissa = values >> 24, (values << 8) >> 8
    numbers: NDArray[np.float32] = np.ldexp(mantissa.astype(np.float32), exponent).astype("<f4")
    return numbers.view(np.uint8)


_FILTERS = {"NONE": _keep, "OCTAHEDRAL": _octahedral, "QUATERNION": _quaternion, "EXPONENTIAL": _exponential}
_STRIDES = {"NONE": (), "OCTAHEDRAL": (4, 8), "QUATERNION": (8,), "EXPONENTIAL": tuple(range(4, 257, 4))}
