"""The meshopt decoder against the test encoder, in every mode, with every filter."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from avatar.meshopt_encoder import TriangleEncoder, encode_attributes, encode_indices
from mien.avatar.gltf.meshopt import decode
from mien.errors import AvatarError


def stream(data: bytes) -> np.ndarray:
    return np.frombuffer(data, dtype=np.uint8)


@settings(max_examples=60, deadline=None)
@given(
    count=st.integers(1, 700),
    stride=st.sampled_from([4, 8, 12, 16, 64, 256]),
    spread=st.integers(0, 8),
    seed=st.integers(0, 99),
)
def test_attributes_come_back(count: int, stride: int, spread: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    steps = rng.integers(0, 1 << spread, (count, stride)) * rng.choice([0, 1, -1], (count, stride))
    rows = np.cumsum(steps, axis=0).astype(np.uint8)
    decoded = decode(stream(encode_attributes(rows)), "ATTRIBUTES", "NONE", count, stride)
    np.testing.assert_array_equal(decoded.reshape(count, stride), rows)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 65_535), max_size=90))
def test_indices_come_back(indices: list[int]) -> None:
    decoded = decode(stream(encode_indices(indices)), "INDICES", "NONE", len(indices), 2)
    np.testing.assert_array_equal(decoded.view("<u2"), indices)


def same_triangles(decoded: np.ndarray, wanted: list[tuple[int, int, int]]) -> bool:
    """Compare triangles up to rotation: a stream may start at another corner but keeps the winding."""
    for got, tri in zip(decoded.reshape(-1, 3).tolist(), wanted, strict=True):
        if tuple(got) not in {tri[turn:] + tri[:turn] for turn in range(3)}:
            return False
    return True


def grid(side: int) -> list[tuple[int, int, int]]:
    tris = []
    for row in range(side - 1):
        for column in range(side - 1):
            a = row * side + column
            tris += [(a, a + side, a + 1), (a + 1, a + side, a + side + 1)]
    return tris


@pytest.mark.parametrize("width", [2, 4])
def test_triangles_of_a_grid_come_back(width: int) -> None:
    tris = grid(9)
    decoded = decode(stream(TriangleEncoder().encode(tris)), "TRIANGLES", "NONE", 3 * len(tris), width)
    assert same_triangles(decoded.view(f"<u{width}"), tris)


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(*[st.integers(0, 40)] * 3).filter(lambda tri: len(set(tri)) == 3), min_size=1, max_size=60))
@example([(0, 1, 2)])
def test_any_triangles_come_back(tris: list[tuple[int, int, int]]) -> None:
    decoded = decode(stream(TriangleEncoder().encode(tris)), "TRIANGLES", "NONE", 3 * len(tris), 4)
    assert same_triangles(decoded.view("<u4"), tris)


@pytest.mark.parametrize("bits", [8, 16])
def test_octahedral_normals_come_back(bits: int) -> None:
    rng = np.random.default_rng(1)
    normals = rng.normal(size=(300, 3))
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    folded = normals / np.abs(normals).sum(axis=1, keepdims=True)
    x, y = folded[:, 0].copy(), folded[:, 1].copy()
    under = normals[:, 2] < 0
    x[under] = (1 - np.abs(folded[under, 1])) * np.sign(folded[under, 0])
    y[under] = (1 - np.abs(folded[under, 0])) * np.sign(folded[under, 1])
    one = (1 << (bits - 1)) - 1
    packed = np.stack([np.rint(x * one), np.rint(y * one), np.full(300, one), np.zeros(300)], axis=1)
    rows = packed.astype(f"<i{bits // 8}").view(np.uint8)
    decoded = decode(stream(encode_attributes(rows)), "ATTRIBUTES", "OCTAHEDRAL", 300, bits // 2)
    unpacked = decoded.view(f"<i{bits // 8}").reshape(-1, 4)[:, :3] / one
    np.testing.assert_allclose(unpacked, normals, atol=3 / one)


def test_exponential_floats_come_back() -> None:
    values = np.array([0.0, 1.0, -2.5, 1e-4, 123.456, -0.001, 65504.0, 3.0], dtype=np.float32)
    mantissa, exponent = np.frexp(values)
    packed = (exponent.astype(np.int64) - 23 << 24) | (np.rint(mantissa * (1 << 23)).astype(np.int64) & 0xFFFFFF)
    rows = (packed & 0xFFFFFFFF).astype("<u4").view(np.uint8).reshape(2, 16)
    decoded = decode(stream(encode_attributes(rows)), "ATTRIBUTES", "EXPONENTIAL", 2, 16).view("<f4")
    np.testing.assert_allclose(decoded, values, rtol=1e-6)


def test_quaternions_come_back() -> None:
    rng = np.random.default_rng(2)
    turns = rng.normal(size=(200, 4))
    turns /= np.linalg.norm(turns, axis=1, keepdims=True)
    largest = np.abs(turns).argmax(axis=1)
    turns *= np.sign(turns[np.arange(200), largest])[:, None]
    one = (1 << 14) - 1
    others = np.stack([turns[np.arange(200), (largest + 1 + k) % 4] for k in range(3)], axis=1)
    packed = np.concatenate([np.rint(others * np.sqrt(2) * one), ((one & ~3) | largest)[:, None]], axis=1)
    rows = packed.astype("<i2").view(np.uint8)
    decoded = decode(stream(encode_attributes(rows)), "ATTRIBUTES", "QUATERNION", 200, 8).view("<i2").reshape(-1, 4)
    np.testing.assert_allclose(decoded / 32767, turns, atol=3e-4)


@pytest.mark.parametrize(
    ("mode", "filter_", "stride"),
    [
        ("TRIANGLES", "OCTAHEDRAL", 4),
        ("ATTRIBUTES", "OCTAHEDRAL", 12),
        ("ATTRIBUTES", "QUATERNION", 4),
        ("ATTRIBUTES", "X", 4),
    ],
)
def test_a_filter_that_does_not_fit_is_refused(mode: str, filter_: str, stride: int) -> None:
    data = encode_attributes(np.zeros((4, stride), np.uint8))
    if mode == "TRIANGLES":
        data = TriangleEncoder().encode([(0, 1, 2)])
    with pytest.raises(AvatarError, match="filter"):
        decode(stream(data), mode, filter_, 3 if mode == "TRIANGLES" else 4, stride)


@settings(max_examples=150, deadline=None)
@given(
    mode=st.sampled_from(["ATTRIBUTES", "TRIANGLES", "INDICES"]), data=st.binary(max_size=400), count=st.integers(0, 60)
)
def test_noise_is_refused_or_read(mode: str, data: bytes, count: int) -> None:
    head = {"ATTRIBUTES": b"\xa0", "TRIANGLES": b"\xe1", "INDICES": b"\xd1"}[mode]
    try:
        decoded = decode(stream(head + data), mode, "NONE", 3 * count, 4)
    except AvatarError:
        return
    assert len(decoded) == 12 * count


@pytest.mark.parametrize(("stride", "most"), [(2, 65_535), (4, 2**32 - 1)])
def test_indices_up_to_the_largest_of_their_width_are_read(stride: int, most: int) -> None:
    decoded = decode(stream(encode_indices([0, most])), "INDICES", "NONE", 2, stride).view(f"<u{stride}")
    assert decoded.tolist() == [0, most]
    if stride == 2:
        for wrong in ([0, most + 1], [most + 1, 0], [0, -1]):
            with pytest.raises(AvatarError, match="an index is out of range"):
                decode(stream(encode_indices(wrong)), "INDICES", "NONE", len(wrong), stride)
