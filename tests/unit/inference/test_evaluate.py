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

from har.errors import BundleMismatchError
from har.inference.clips import evaluate_bundle
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
