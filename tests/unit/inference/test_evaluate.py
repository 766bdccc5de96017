"""Measuring a bundle: by the names of labels, some of them, and with clips it is uncertain."""

import base64
import json
from dataclasses import replace

import cv2
import numpy as np
import pytest
from bodies import detect, stand
from bundles import LABELS, make_people_bundle
from crowds import make_crowd_store
from pages import Page
from puppet import iter_times, make_film, paint_moment

from har.config import PrepareConfig, PrivacyConfig
from har.dataset.prepare import prepare
from har.dataset.store import Store
from har.errors import BundleMismatchError
from har.inference.clips import evaluate_bundle
from har.inference.strips import build_frame_reader
from har.pose.keypoints import INDEX


def draw(label, rng, n_steps):
    """Return one person, hand up where the label says so; of one clip in a group of many, none."""
    body = stand(100, 150, 100)
    if label == "active":
        body[[INDEX["left_wrist"], INDEX["right_wrist"]], 1] = 40.0
    return detect([[] if rng.random() < 0.2 else [body]] * n_steps)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return make_crowd_store(tmp_path_factory.mktemp("e"), draw, n_groups=4, labels=LABELS[::-1])


def test_clips_it_cannot_tell_are_counted_and_said(store, tmp_path):
    result = evaluate_bundle(make_people_bundle(tmp_path / "bundle"), store, "all")
    values = result.to_json()
    assert result.metrics.labels == LABELS  # in the bundle's order, not the store's
    assert values["n_clips"] == 8
    assert 1 <= values["n_uncertain"] <= 4
    n_right = round(values["accuracy"]["mean"] * 8)
    assert 8 - values["n_uncertain"] <= n_right <= 8
    assert (result.seen, result.synthetic_data) == (False, False)
    page = result.save(tmp_path / "page")
    assert page.is_file()
    written = json.loads((tmp_path / "page" / "metrics.json").read_text())
    assert written == json.loads(json.dumps(values))


def test_no_picture_of_anyone_is_on_the_page_unless_asked(store, tmp_path):
    result = evaluate_bundle(make_people_bundle(tmp_path / "bundle"), store, "all")
    n_wrong = 8 - round(result.metrics.accuracy * 8)
    assert n_wrong
    plain = result.save(tmp_path / "page").read_text(encoding="utf-8")
    assert "<img" not in plain
    assert "data:image" not in plain
    page = Page(result.save(tmp_path / "page", strips=True).read_text(encoding="utf-8"))
    page.check()
    pictures = [attributes["src"] for tag, attributes in page.tags if tag == "img"]
    assert len(pictures) == n_wrong
    data = np.frombuffer(base64.b64decode(pictures[0].split(",")[1]), np.uint8)
    height, width = store.size
    assert cv2.imdecode(data, cv2.IMREAD_COLOR).shape == (108, 6 * round(108 * width / height), 3)
    assert "--strips" in page.text
    assert "--strips" not in plain


@pytest.fixture(scope="module")
def filmed(tmp_path_factory):
    """A store of clips out of the middle of films in which somebody moves the arms."""
    folder = tmp_path_factory.mktemp("filmed")
    rows = ["path,label,group,start_s,end_s"]
    for name in LABELS:
        pictures = (paint_moment(time_s, size=(256, 320)) for time_s in iter_times(3))
        make_film(folder / f"{name}.mp4", pictures)
        rows.append(f"{name}.mp4,{name},{name},0.5,2.5")
    (folder / "manifest.csv").write_text("\n".join(rows) + "\n")
    prepare(folder / "manifest.csv", folder / "store", PrepareConfig(size=(256, 320), n_folds=2))
    return Store.load(folder / "store")


def find_edge(frames):
    """Return the strongest edge within the puppet's face, over all frames."""
    faces = frames[:, 30:70, 140:180].astype(np.float32)
    faces = faces if faces.ndim == 3 else faces.mean(axis=3)
    return max(float(np.abs(cv2.Laplacian(face, cv2.CV_32F)).max()) for face in faces)


def test_strips_hide_people_in_every_frame(filmed):
    clip = filmed.clips[0]
    plain = build_frame_reader(PrivacyConfig())(filmed, clip)
    covered = build_frame_reader(PrivacyConfig("blur"))(filmed, clip)
    assert covered.shape == (*plain.shape, 3)
    assert find_edge(covered) < 25 < 50 < find_edge(plain[:1])
    assert np.array_equal(covered[:, 150:, :40, 0], plain[:, 150:, :40])  # the rest is as it was
    drawn = build_frame_reader(PrivacyConfig(people="skeleton"))(filmed, clip)
    assert (drawn == 255).any(axis=(1, 2, 3)).all()


def test_strips_of_a_video_that_is_gone_are_hidden_as_a_whole(filmed, tmp_path, caplog):
    clip = filmed.clips[0]
    (tmp_path / "other.mp4").write_bytes(b"another video")
    for path in (tmp_path / "gone.mp4", tmp_path / "other.mp4"):
        covered = build_frame_reader(PrivacyConfig("blur"))(filmed, replace(clip, path=path))
        assert len(covered) == clip.n_frames
        assert find_edge(covered) < 25
        assert len({tuple(value) for value in covered[0, 60].tolist()}) < 100
    assert "is not the video that was prepared" in caplog.text


def test_the_page_says_how_its_pictures_were_covered(store, tmp_path):
    result = evaluate_bundle(make_people_bundle(tmp_path / "bundle"), store, "all")
    page = result.save(tmp_path / "page", strips=True, faces="blur", uncertain="blur-moving")
    text = page.read_text(encoding="utf-8")
    assert "--strips" in text
    assert "--faces blur --uncertain blur-moving" in text
    assert "<img" in text


def test_some_of_the_labels_are_enough(store, tmp_path):
    bundle = make_people_bundle(tmp_path)
    clips = tuple(clip for clip in store.clips if clip.label == "active")
    fewer = replace(store, clips=clips, settings=replace(store.settings, labels=("active",)))
    result = evaluate_bundle(bundle, fewer, "all")
    support = {item["label"]: item["support"] for item in result.to_json()["per_class"]}
    assert support == {"still": 0, "active": 4}
    assert result.to_json()["auc"]["mean"] is None


def test_labels_that_the_bundle_does_not_know_are_refused(store, tmp_path):
    bundle = make_people_bundle(tmp_path)
    other = replace(store, settings=replace(store.settings, labels=("active", "asleep")))
    with pytest.raises(BundleMismatchError, match="asleep"):
        evaluate_bundle(bundle, other, "all")
