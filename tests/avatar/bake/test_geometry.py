"""Array geometry: grouping, normals, simplification."""

import numpy as np

from mien.avatar.bake.geometry import clustered, places, smooth_groups, unique_rows, vertex_normals


def test_vertices_at_one_place_share_a_normal_unless_an_edge_is_meant() -> None:
    points = np.array([[0, 0, 0], [0, 0, 1e-6], [0, 0, 0], [0, 0, 1e-3]], np.float32)
    normals = np.array([[0, 0, 1], [0, 0.02, 1], [0, 1, 0], [0, 0, 1]], np.float32)
    groups = smooth_groups(points, normals)
    assert groups[0] == groups[1]
    assert len({groups[0], groups[2], groups[3]}) == 3
    assert len(set(places(points).tolist())) == 2


def test_normals_are_weighted_by_area_and_point_out() -> None:
    points = np.array([[0, 0, 0], [2, 0, 0], [0, 2, 0], [0, 0, 1]], np.float32)
    tris = np.array([[0, 1, 2], [0, 3, 1]])
    made = vertex_normals(points, tris, np.arange(4))
    np.testing.assert_allclose(made[2], [0, 0, 1], atol=1e-6)
    np.testing.assert_allclose(made[3], [0, 1, 0], atol=1e-6)
    np.testing.assert_allclose(made[0], np.array([0, 1, 2]) / np.sqrt(5), atol=1e-6)
    alone = vertex_normals(points, tris[:1], np.arange(4))
    np.testing.assert_array_equal(alone[3], [0, 0, 1])


def test_a_mesh_is_thinned_by_cubes_but_for_what_is_kept() -> None:
    points = np.array([[x / 10, y / 10, 0] for x in range(11) for y in range(11)], np.float32)
    at = np.arange(121).reshape(11, 11)
    tris = np.concatenate(
        [
            np.stack([at[:-1, :-1], at[1:, :-1], at[:-1, 1:]], -1).reshape(-1, 3),
            np.stack([at[1:, :-1], at[1:, 1:], at[:-1, 1:]], -1).reshape(-1, 3),
        ]
    )
    left, thin = clustered(points, tris, 0.25, np.zeros(121, bool))
    assert 9 <= len(left) <= 25
    assert thin.max() == len(left) - 1
    assert ((thin[:, 0] != thin[:, 1]) & (thin[:, 1] != thin[:, 2]) & (thin[:, 0] != thin[:, 2])).all()
    all_left, same = clustered(points, tris, 0.25, np.ones(121, bool))
    assert (len(all_left), len(same)) == (121, len(tris))


def test_equal_rows_are_told_once_and_minus_nothing_is_nothing() -> None:
    first, which = unique_rows([np.array([[1.0], [0.0], [1.0], [-0.0]], np.float32), np.zeros((4, 1), np.float32)])
    assert len(first) == 2
    assert which[0] == which[2] != which[1] == which[3]
