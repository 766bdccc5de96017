"""The manifest of all sessions, and what deleting someone leaves."""

import pytest

from har.capture.folder import (
    delete_person,
    find_sheet,
    find_there,
    load_rows,
    make_row,
    save_rows,
)
from har.capture.script import plan_takes
from har.config import CaptureConfig
from har.errors import ManifestError


def fill(out, *configs):
    rows = [make_row(take, config) for config in configs for take in plan_takes(config)[:3]]
    for row in rows:
        (out / row.path).parent.mkdir(parents=True, exist_ok=True)
        (out / row.path).write_bytes(b"clip")
        find_sheet(out, row.group).parent.mkdir(exist_ok=True)
        find_sheet(out, row.group).write_bytes(b"sheet")
    save_rows(out, rows)
    return rows


def test_rows_come_back_and_those_without_a_clip_are_not_there(tmp_path):
    rows = fill(tmp_path, CaptureConfig())
    assert load_rows(tmp_path) == rows
    (tmp_path / rows[1].path).unlink()
    assert find_there(tmp_path) == [rows[0], rows[2]]


def test_no_manifest_is_an_empty_folder(tmp_path):
    assert load_rows(tmp_path / "new") == []


def test_deleting_a_person_takes_also_what_they_did_for_others(tmp_path):
    alone = CaptureConfig(person="p2")
    helped = CaptureConfig(person="p3", partner="p2", postures=("pair",))
    other = CaptureConfig(person="p1")
    rows = fill(tmp_path, alone, helped, other)
    gone = delete_person(tmp_path, "p2")
    assert gone == rows[:6]
    assert load_rows(tmp_path) == rows[6:]
    left = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.mp4")}
    assert left == {row.path for row in rows[6:]}
    assert [path.name for path in (tmp_path / "sheets").iterdir()] == ["p1-here.png"]


def test_deleting_nobody_names_who_is_there(tmp_path):
    fill(tmp_path, CaptureConfig(person="p4"))
    with pytest.raises(ManifestError, match="p4"):
        delete_person(tmp_path, "p9")


@pytest.mark.parametrize("text", ["path,label\na.mp4,wave\n", "", "a;b\n", "path,label,group\n"])
def test_a_manifest_of_something_else_is_refused_and_kept(tmp_path, text):
    (tmp_path / "manifest.csv").write_text(text)
    with pytest.raises(ManifestError, match="folder of its own"):
        load_rows(tmp_path)
    assert (tmp_path / "manifest.csv").read_text() == text


@pytest.mark.parametrize("path", ["../precious.mp4", "/precious.mp4", "a/../../b.mp4"])
def test_a_manifest_that_names_files_outside_deletes_nothing(tmp_path, path):
    out = tmp_path / "out"
    rows = fill(out, CaptureConfig())
    precious = tmp_path / "precious.mp4"
    precious.write_bytes(b"mine")
    text = (out / "manifest.csv").read_text()
    (out / "manifest.csv").write_text(text.replace(rows[0].path, path))
    with pytest.raises(ManifestError, match="outside"):
        delete_person(out, "p1")
    assert precious.exists()


def test_a_folder_of_before_is_read(tmp_path):
    (tmp_path / "manifest.csv").write_text(
        "path,label,group,subject,target,style,person,partner,place,posture,hand\n"
        "playing/p1-here-standing_wave_left_p1.mp4,playing,p1-here,p1,,wave,p1,,here,standing,left\n"
    )
    (row,) = load_rows(tmp_path)
    take = next(take for take in plan_takes(CaptureConfig()) if take.style == "wave")
    assert row.path.rsplit("_", 2)[0] == make_row(take, CaptureConfig()).path.rsplit("_", 2)[0]
    assert (row.group, row.person, row.posture) == ("p1-here", "p1", "standing")
