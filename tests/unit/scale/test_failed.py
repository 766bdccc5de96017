"""Videos that are set aside: kept, found again, and let go when they or the settings change."""

import json
from pathlib import Path

import pytest

from har.scale.failed import FILE, FailedVideos


def test_what_is_added_is_found_by_the_next_run(tmp_path: Path) -> None:
    FailedVideos(tmp_path).add("key", Path("a.mp4"), "it was killed", 3)
    failed = FailedVideos(tmp_path)
    assert failed.find("key") == f"it was killed; it was set aside, see {tmp_path / FILE}"
    assert failed.find("other") == ""


def test_a_video_whose_key_has_changed_is_forgotten_and_others_stay(tmp_path: Path) -> None:
    failed = FailedVideos(tmp_path)
    for name in ("a", "b", "c"):
        failed.add(f"key of {name}", Path(f"{name}.mp4"), "slow", 3)
    FailedVideos(tmp_path).forget({"a.mp4": "key of a", "b.mp4": "another"})
    kept = json.loads((tmp_path / FILE).read_text())["videos"]
    assert [entry["video"] for entry in kept] == ["a.mp4", "c.mp4"]


@pytest.mark.parametrize("text", ["", "[]", "{", '{"videos": [{"key": 1}]}', '{"videos": [3]}'])
def test_a_file_that_is_not_understood_sets_nothing_aside(tmp_path: Path, text: str) -> None:
    (tmp_path / FILE).write_text(text)
    assert FailedVideos(tmp_path).find("key") == ""
