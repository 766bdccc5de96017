"""Keypoints of other tools are read as what they are, and what is none is refused."""

import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import har
from har.config import PosesConfig
from har.errors import ConfigError, PoseFileError
from har.pose.adapters.arrays import project
from har.pose.adapters.hdf5 import parse_columns
from har.pose.adapters.names import BODY_25, COCO_18, MEDIAPIPE, map_joints
from har.pose.adapters.reading import Poses, is_plainly_poses, read_poses, write_poses
from har.pose.keypoints import INDEX, KEYPOINTS

FILES = Path(__file__).parent / "files"
"""Written by DeepLabCut's own way of saving (pandas 3.0, PyTables 3.11) and by sleap-io 0.9."""


def value(person: int, frame: int, joint: int) -> list[float]:
    """What those files hold: nose, left shoulder, right wrist and a tail."""
    return [
        100 * person + 10 * joint + frame + 0.5,
        50 * person + 5 * joint + 2 * frame,
        0.9 - joint / 10,
    ]


# Names


@pytest.mark.parametrize(
    ("name", "keypoint"),
    [
        ("nose", "nose"),
        ("Left Shoulder", "left_shoulder"),
        ("ShoulderRight", "right_shoulder"),
        ("SHOULDER_LEFT", "left_shoulder"),
        ("lsho", "left_shoulder"),
        ("elbow.R", "right_elbow"),
        ("l_wrist", "left_wrist"),
        ("WristL", "left_wrist"),
        ("rHip", "right_hip"),
        ("rkne", "right_knee"),
        ("ankle-left", "left_ankle"),
        ("rear", "right_ear"),
        ("lear", "left_ear"),
        ("leye", "left_eye"),
        ("ankle1", "right_ankle"),
        ("knee2", "left_knee"),
    ],
)
def test_a_name_is_known_whatever_its_case_and_marks(name, keypoint):
    columns, notes = map_joints(["x", name])
    assert columns[INDEX[keypoint]] == 1
    assert (columns >= 0).sum() == 1
    assert notes[0] == "joints that are not known and not used: x"


@pytest.mark.parametrize("names", [MEDIAPIPE, BODY_25, COCO_18, KEYPOINTS])
def test_the_orders_of_tools_have_all_seventeen_and_no_unknown_one(names):
    columns, notes = map_joints(names)
    assert [names[column] for column in columns] == list(KEYPOINTS)
    assert notes == ()


def test_a_head_stands_for_a_nose_only_where_there_is_none():
    assert map_joints(["Head", "SpineBase"])[0][0] == 0
    assert map_joints(["Head", "Nose"])[0][0] == 1


def test_given_names_go_first_and_slips_are_refused():
    names = ["Hand_R", "r_wrist", "nose"]
    columns, _ = map_joints(names, {"hand r": "Right Wrist", "nose": ""})
    assert (columns[INDEX["right_wrist"]], columns[INDEX["nose"]]) == (0, -1)
    with pytest.raises(ValueError, match="no joint 'Paw'; there are: Hand_R"):
        map_joints(names, {"Paw": "nose"})
    with pytest.raises(ValueError, match="no keypoint of the model"):
        map_joints(names, {"Hand_R": "claw"})


# DeepLabCut and SLEAP


@pytest.mark.parametrize("name", ["deeplabcut.csv", "deeplabcut.h5"])
def test_deeplabcut_of_one_person(name):
    poses = har.read_poses(FILES / name, fps=25)
    assert poses.points.shape == (6, 1, 17, 3)
    for keypoint, joint in (("nose", 0), ("left_shoulder", 1), ("right_wrist", 2)):
        expected = [value(0, frame, joint) for frame in (0, 1, 3, 4, 5)]
        np.testing.assert_allclose(poses.points[[0, 1, 3, 4, 5], 0, INDEX[keypoint]], expected)
    assert not poses.points[2, 0, INDEX["nose"]].any()  # NaN in the file
    assert not poses.points[:, :, INDEX["left_hip"]].any()
    assert (poses.fps, poses.size, poses.duration_s) == (25, None, 0.24)
    assert "not used: tail" in poses.notes[0]
    assert "left_hip" in poses.notes[1]


@pytest.mark.parametrize("name", ["deeplabcut_two.csv", "deeplabcut_fixed.h5"])
def test_deeplabcut_of_two_people(name):
    points = har.read_poses(FILES / name, fps=25).points
    assert points.shape == (6, 2, 17, 3)
    np.testing.assert_allclose(points[3, 0, INDEX["right_wrist"]], value(0, 3, 2), rtol=1e-6)
    np.testing.assert_allclose(points[3, 1, INDEX["right_wrist"]], value(1, 3, 2), rtol=1e-6)
    np.testing.assert_allclose(points[2, 1, INDEX["nose"]], value(1, 2, 0), rtol=1e-6)


@pytest.mark.parametrize("name", ["sleap.slp", "sleap.analysis.h5"])
def test_sleap(name):
    points = har.read_poses(FILES / name, fps=25).points
    assert points.shape == (4, 2, 17, 3)
    for person in (0, 1):
        np.testing.assert_allclose(points[3, person, 0], value(person, 3, 0), rtol=1e-6)
        np.testing.assert_allclose(points[1, person, 5], value(person, 1, 1), rtol=1e-6)
    assert not points[2].any()  # no frame 2 in the file
    assert not points[1, 0, 0].any()  # NaN in the file


def test_columns_of_a_saved_table_are_texts_and_nothing_is_called():
    harmful = b"cos\nsystem\n(S'touch /tmp/never'\ntR(lp0\n(VA\np1\nVx\ntp2\na."
    assert ("A", "x") in parse_columns(harmful)
    assert parse_columns(b"\x80\x04\x95rubbish") == []


# Text tables


def write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_one_line_a_frame(tmp_path):
    path = write(
        tmp_path / "a.csv",
        "time_s,left_wrist_x,left_wrist_y,left_wrist_visibility,comment\n"
        "0.0,100,50,0.5,good\n0.04,inf,50,0.5,\n0.08,,,,\n0.12,1e300,1,1,\n0.16,1e20,1,1,\n",
    )
    poses = har.read_poses(path)
    assert poses.fps == pytest.approx(25)
    np.testing.assert_allclose(
        poses.points[:, 0, INDEX["left_wrist"]], [[100, 50, 0.5], *[[0] * 3] * 4]
    )


def test_numbered_landmarks_of_mediapipe_are_shares(tmp_path):
    header = ",".join(f"{axis}{n}" for n in range(1, 34) for axis in "xyzv")
    line = ",".join(f"{n / 66},0.5,-0.3,0.9" for n in range(1, 34))
    path = write(tmp_path / "a.csv", f"class,{header}\nwave,{line}\n")
    with pytest.raises(PoseFileError, match=r"shares of the picture.*--size"):
        har.read_poses(path, fps=30)
    points = har.read_poses(path, fps=30, size=(480, 660)).points
    np.testing.assert_allclose(points[0, 0, INDEX["left_shoulder"]], [120, 240, 0.9], rtol=1e-6)


def test_one_line_a_joint_with_people_and_missing_frames(tmp_path):
    path = write(
        tmp_path / "a.csv",
        "frame,person,joint,x,y,score\n0,a,nose,10,20,1\n0,b,nose,30,40,0.5\n3,b,nose,31,41,0.25\n",
    )
    points = har.read_poses(path, fps=30).points
    assert points.shape == (4, 2, 17, 3)
    assert points[:, 1, 0].tolist() == [[30, 40, 0.5], [0, 0, 0], [0, 0, 0], [31, 41, 0.25]]


# JSON


def openpose(folder: Path, frames: dict[int, list[list[float]]]) -> Path:
    folder.mkdir()
    for number, people in frames.items():
        values = {"version": 1.3, "people": [{"pose_keypoints_2d": flat} for flat in people]}
        (folder / f"walk_{number:012d}_keypoints.json").write_text(json.dumps(values))
    return folder


def test_openpose(tmp_path):
    flat = [float(n) for joint in range(25) for n in (10 + joint, 20 + joint, 0.5)]
    points = har.read_poses(
        openpose(tmp_path / "walk", {0: [flat], 2: [], 3: [flat, flat]}), fps=30
    )
    assert points.points.shape == (4, 2, 17, 3)
    wrist = BODY_25.index("right_wrist")
    assert points.points[0, 0, INDEX["right_wrist"]].tolist() == [10 + wrist, 20 + wrist, 0.5]
    assert not points.points[1:3].any()


def test_coco_results_and_data_sets(tmp_path):
    flat = [float(n) for joint in range(17) for n in (joint + 1, 2, 0.75)]
    results = [
        {"image_id": "3.jpg", "category_id": 1, "keypoints": flat, "score": 0.9},
        {"image_id": "1.jpg", "category_id": 1, "keypoints": flat, "score": 0.9},
    ]
    points = har.read_poses(write(tmp_path / "r.json", json.dumps(results)), fps=5).points
    assert points[:, 0, 16].tolist() == [[17, 2, 0.75], [0, 0, 0], [17, 2, 0.75]]
    flags = [n for joint in range(2) for n in (joint + 1, 2, 2 - joint)]
    whole = {
        "images": [
            {"id": 901, "file_name": "b_2.png", "height": 48, "width": 64},
            {"id": 77, "file_name": "b_1.png", "height": 48, "width": 64},
        ],
        "categories": [{"name": "person", "keypoints": ["nose", "left_ankle"]}],
        "annotations": [{"image_id": 901, "keypoints": flags, "num_keypoints": 2}],
    }
    poses = har.read_poses(write(tmp_path / "w.json", json.dumps(whole)), fps=5)
    assert (poses.size, len(poses.points)) == ((48, 64), 2)
    assert not poses.points[0].any()
    assert poses.points[1, 0, [0, 15]].tolist() == [[1, 2, 1.0], [2, 2, 0.5]]


def test_frames_without_a_person_shift_no_other(tmp_path):
    """Results list pictures 3 and 5 of people only; the first three frames are empty."""
    results = [
        {"image_id": number, "keypoints": [number, 2.0, 0.9] * 17, "score": 0.8}
        for number in (5, 3)
    ]
    (tmp_path / "r.json").write_text(json.dumps(results))
    poses = read_poses(tmp_path / "r.json", PosesConfig(fps=25))
    assert poses.points[:, 0, 0, 0].tolist() == [0, 0, 0, 3, 0, 5]
    assert "its first picture is 3, so nobody is in as many frames before it" in poses.notes


@pytest.mark.parametrize(
    ("column", "cells"),
    [("frame", (2, 3, 6)), ("time_s", (0, 0.04, 0.16)), ("time_s", (7, 7.041, 7.16))],
)
def test_lines_that_are_missing_shift_no_other(tmp_path, column, cells):
    """At 25 frames a second; the last line is three frames after the one before it."""
    more = 20 if column == "time_s" else 0
    step = 0.04 if more else 1
    times = [*cells, *(cells[-1] + step * (k + 1) for k in range(more))]
    lines = [f"{time},{100 + k},5" for k, time in enumerate(times)]
    (tmp_path / "a.csv").write_text("\n".join([f"{column},nose_x,nose_y", *lines]))
    poses = read_poses(tmp_path / "a.csv", PosesConfig(fps=25))
    before = [0, 0] if column == "frame" else []
    assert poses.points[: len(before) + 5, 0, 0, 0].tolist() == [*before, 100, 101, 0, 0, 102]
    assert len(poses.points) == len(before) + 5 + more


@pytest.mark.parametrize("wrapped", ["frames", "people", "plain"])
def test_mediapipe_json(tmp_path, wrapped):
    person = [{"x": n / 66, "y": 0.5, "z": 0.1, "visibility": 0.8} for n in range(33)]
    frame = {"frames": {"pose_landmarks": [person]}, "people": [person, person], "plain": person}
    whole = [frame[wrapped], None]
    values = (
        {"fps": 24, "width": 660, "height": 480, "frames": whole} if wrapped != "plain" else whole
    )
    path = write(tmp_path / "a.json", json.dumps(values))
    given = {} if wrapped != "plain" else {"fps": 24, "size": (480, 660)}
    poses = har.read_poses(path, **given)
    assert poses.points.shape == (2, 2 if wrapped == "people" else 1, 17, 3)
    np.testing.assert_allclose(poses.points[0, 0, 5], [110, 240, 0.8], rtol=1e-6)
    assert (poses.fps, poses.points[1].any()) == (24, False)


# Arrays


def save(path: Path, **arrays) -> Path:
    np.savez(path, **arrays)
    return path


def test_own_form_goes_to_disk_and_back(tmp_path):
    points = np.random.default_rng(0).uniform(0, 400, (7, 2, 17, 3)).astype(np.float32)
    points[..., 2] /= 400
    poses = Poses(points, 12.5, (360, 640), tmp_path)
    write_poses(tmp_path / "a.keypoints.npz", poses)
    back = read_poses(tmp_path / "a.keypoints.npz")
    np.testing.assert_array_equal(back.points, points)
    assert (back.fps, back.size, back.notes) == (12.5, (360, 640), ())


def test_confidence_as_third_value_or_beside(tmp_path):
    points = np.full((2, 1, 1, 2), 50.0)
    third = np.concatenate([points, np.full((2, 1, 1, 1), 0.25)], axis=-1)
    beside = {"points": points, "confidence": np.full((2, 1, 1), 0.25)}
    for arrays in ({"points": third}, beside):
        path = save(tmp_path / "a.npz", joints=["nose"], fps=10, **arrays)
        assert har.read_poses(path).points[0, 0, 0].tolist() == [50, 50, 0.25]


def test_joints_in_space_are_seen_through_a_pinhole():
    joints = ("head", "spine", "lsho", "rsho", "lhip", "rhip")
    body = np.array(
        [[0, 0.6, 2], [0, 0, 2], [-0.2, 0.4, 2], [0.2, 0.4, 2], [-0.1, 0, 2], [0.1, 0, 0]]
    )
    places, notes = project(body[None, None], joints)
    np.testing.assert_allclose(places[0, 0, 0], [320, 240 - 525 * 0.3])
    np.testing.assert_allclose(places[0, 0, 2], [320 - 52.5, 240 - 525 * 0.2])
    assert np.isnan(places[0, 0, 5]).all()
    assert "upwards" in notes[0]
    down, notes = project(body[None, None] * [1, -1, 1], joints)
    np.testing.assert_allclose(down[0, 0, :5], places[0, 0, :5])
    assert "downwards" in notes[0]


def test_a_depth_camera_is_told_by_its_spine_and_distance(tmp_path):
    points = np.ones((3, 1, 2, 3)) * [0.5, 0.5, 2.5]
    poses = har.read_poses(
        save(tmp_path / "a.npz", points=points, joints=["head", "spine"], fps=30)
    )
    assert poses.size == (480, 640)
    np.testing.assert_allclose(poses.points[0, 0, 0], [320 + 105, 240 - 105, 1])
    with pytest.raises(PoseFileError, match="units='meters'"):
        har.read_poses(save(tmp_path / "b.npz", points=points, joints=["head", "chest"], fps=30))


# What is refused


@pytest.mark.parametrize(
    ("arrays", "why"),
    [
        ({"points": np.zeros((2, 1, 17, 5)), "fps": 5}, "2 to 4"),
        ({"points": np.zeros((2, 1, 3, 2)), "fps": 5}, "no names"),
        ({"points": np.zeros((2, 1, 17, 2))}, "--fps"),
        ({"points": np.zeros((2, 1, 17, 2)), "fps": 5000}, "received 5000"),
        ({"points": np.zeros((0, 1, 17, 2)), "fps": 5}, "no frame"),
        ({"points": np.zeros((2, 1, 1, 2)), "fps": 5, "joints": ["paw"]}, "none of its joints"),
        ({"points": np.zeros((2, 1, 17, 2)), "fps": 5, "starts": np.arange(9)}, "8 recordings"),
        ({"points": np.zeros((2, 1, 17, 2)), "fps": 5, "units": "feet"}, "expected units"),
        ({"places": np.zeros((2, 1, 17, 2)), "fps": 5}, "'points'"),
        ({"points": np.array([{}], dtype=object)}, "Python objects"),
    ],
)
def test_arrays_that_are_none_are_refused(tmp_path, arrays, why):
    with pytest.raises(PoseFileError, match=why) as caught:
        har.read_poses(save(tmp_path / "a.npz", **arrays))
    assert str(tmp_path / "a.npz") in str(caught.value)


def test_an_array_that_claims_to_be_huge_takes_no_memory(tmp_path):
    header = b"{'descr': '<f4', 'fortran_order': False, 'shape': (9000, 6, 17, 3), }"
    data = b"\x93NUMPY\x01\x00" + (len(header) + 1).to_bytes(2, "little") + header + b"\n"
    for name, replaced in (("a.npz", b"9000"), ("b.npz", b"9" * 9)):
        content = (
            data
            if name == "a.npz"
            else data.replace(b"9000", replaced).replace(
                (len(header) + 1).to_bytes(2, "little"), (len(header) + 6).to_bytes(2, "little")
            )
        )
        with zipfile.ZipFile(tmp_path / name, "w") as archive:
            archive.writestr("points.npy", content)
        with pytest.raises(PoseFileError, match=r"larger than it is|too many"):
            har.read_poses(tmp_path / name, fps=5)


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("a.json", "[" * 200_000, "nested too deeply"),
        ("a.json", "{", "no JSON"),
        ("a.json", "7", "expected a list"),
        ("a.json", '{"frames": [[[1, 2, 3]]]}', "1 joints"),
        ("a.json", '[{"image_id": 1, "keypoints": ["x", 1, 2]}]', "not as expected"),
        ("a.json", "[null, null]", "nobody"),
        ("a.csv", "", "0 cells"),
        ("a.csv", "onset,offset\n1,2\n", "expected the header"),
        ("a.csv", "scorer,a\nbodyparts,b\n0,1\n", "missing"),
        ("a.csv", "scorer,a,a\nbodyparts,b,b\ncoords,x,y\nlabeled/img1.png,1,2\n", "labels"),
        ("a.csv", "frame,joint,x,y\n0,nose,1,2\n999999999999,nose,1,2\n", "too many"),
        ("a.npz", "no archive", "no archive"),
        ("a.h5", "no HDF5", "no HDF5"),
        ("a.txt", "", "ending"),
    ],
)
def test_files_that_are_none_are_refused(tmp_path, name, content, why):
    with pytest.raises(PoseFileError, match=why):
        har.read_poses(write(tmp_path / name, content), fps=5, size=(100, 100))


def test_a_file_that_is_missing_or_of_another_kind(tmp_path):
    import h5py

    with pytest.raises(PoseFileError, match="check the name"):
        har.read_poses(tmp_path / "none.npz", fps=5)
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["df"] = h5py.ExternalLink(str(FILES / "deeplabcut.h5"), "df_with_missing")
    with pytest.raises(PoseFileError, match="neither"):
        har.read_poses(tmp_path / "other.h5", fps=5)
    with h5py.File(tmp_path / "linked.h5", "w") as file:
        file["tracks"] = h5py.ExternalLink(str(FILES / "sleap.analysis.h5"), "tracks")
        file["node_names"] = np.array([b"nose"])
    with pytest.raises(PoseFileError, match="another file"):
        har.read_poses(tmp_path / "linked.h5", fps=5)


def test_settings_out_of_bounds():
    with pytest.raises(ConfigError, match="fps"):
        PosesConfig(fps=0)
    with pytest.raises(ConfigError, match="size"):
        PosesConfig(size=(0, 5))


def test_what_nobody_named_is_taken_only_where_it_can_be_nothing_else(tmp_path):
    taken = ["a.keypoints.npz", "b.slp", "c.analysis.h5", "d.csv"]
    for name in [*taken, "e.npz", "f.h5", "g.json"]:
        (tmp_path / name).write_text("scorer,x\n")
    write(tmp_path / "h.csv", "video,label\n")
    save(tmp_path / "i.npz", points=np.zeros((2, 1, 17, 2)), joints=KEYPOINTS)
    taken.append("i.npz")
    assert [path.name for path in sorted(tmp_path.iterdir()) if is_plainly_poses(path)] == taken


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    name=st.sampled_from(sorted(path.name for path in FILES.iterdir())),
    place=st.floats(0, 1, exclude_max=True),
    cut=st.booleans(),
    put=st.binary(max_size=12),
)
def test_damaged_files_are_read_in_part_or_refused(tmp_path, name, place, cut, put):
    data = bytearray((FILES / name).read_bytes())
    at = int(place * len(data))
    data[at : len(data) if cut else at + len(put)] = put
    path = tmp_path / name
    path.write_bytes(data)
    try:
        points = har.read_poses(path, fps=10, size=(480, 640)).points
    except PoseFileError:
        return
    assert np.isfinite(points).all()
    assert points[..., 2].min() >= 0
    assert points[..., 2].max() <= 1
