import os
import shutil
import tempfile
import unicodedata
from pathlib import Path

import pytest

from har.dataset.catalog import SCENES, scan
from har.errors import ManifestError, NoClipsError


def touch(root, *names):
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    return root


def write(path, *lines):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def names(catalog):
    return [(clip.path.name, clip.label) for clip in catalog.clips]


# Class folders


def test_one_folder_a_class_at_any_depth(tmp_path):
    touch(tmp_path, "hit/a.mp4", "hit/day 1/b.AVI", "play/c.webm", "play/d")
    catalog = scan(tmp_path)
    assert names(catalog) == [("a.mp4", "hit"), ("b.AVI", "hit"), ("c.webm", "play"), ("d", "play")]
    assert catalog.rejects == ()
    assert catalog.group_source == SCENES
    assert {clip.group for clip in catalog.clips} == {""}


def test_what_is_no_video_is_passed_over(tmp_path):
    touch(tmp_path, "hit/a.mp4", "play/b.mp4", "README.md", ".git/x.mp4", "LICENSE")
    touch(tmp_path, "hit/.DS_Store", "hit/Thumbs.db", "hit/notes.TXT", "hit/._a.mp4", "hit/a.srt")
    touch(tmp_path, "__MACOSX/hit/a.mp4", "play/.cache/c.mp4")
    catalog = scan(tmp_path)
    assert names(catalog) == [("a.mp4", "hit"), ("b.mp4", "play")]
    assert catalog.rejects == ()


def test_video_outside_of_all_classes_is_rejected(tmp_path):
    touch(tmp_path, "hit/a.mp4", "play/b.mp4", "stray.mp4")
    (reject,) = scan(tmp_path).rejects
    assert reject.path == tmp_path / "stray.mp4"
    assert "in no class folder" in reject.reason


def test_empty_class_is_rejected_and_the_others_are_kept(tmp_path):
    touch(tmp_path, "hit/a.mp4", "play/b.mp4")
    (tmp_path / "rest").mkdir()
    catalog = scan(tmp_path)
    assert len(catalog.clips) == 2
    assert "'rest' has no video" in catalog.rejects[0].reason


def test_one_class_only(tmp_path):
    with pytest.raises(NoClipsError, match="one class only, 'hit'"):
        scan(touch(tmp_path, "hit/a.mp4", "hit/b.mp4"))


@pytest.mark.parametrize("files", [(), ("a.mp4",), ("hit/notes.txt",)])
def test_no_clip_at_all(tmp_path, files):
    with pytest.raises(NoClipsError, match=r"holds no clip.*one folder a class"):
        scan(touch(tmp_path, *files))


@pytest.mark.parametrize("label", ["uncertain", " uncertain "])
def test_a_label_that_stands_for_no_label_is_refused_at_the_start(tmp_path, label):
    (tmp_path / "m.csv").write_text(f"path,label\na.mp4,{label}\nb.mp4,hit\n")
    with pytest.raises(NoClipsError, match="'uncertain', which is what results say where a model"):
        scan(tmp_path / "m.csv")


def test_a_name_that_no_disk_takes_is_left_to_the_reader(tmp_path):
    (tmp_path / "m.csv").write_text(f"path,label\n{'x' * 300}.mp4,a\nb.mp4,hit\n")
    assert len(scan(tmp_path / "m.csv").clips) == 2


def test_missing_source(tmp_path):
    with pytest.raises(NoClipsError, match="There is no folder or manifest"):
        scan(tmp_path / "gone")


def test_same_name_twice_has_two_ids(tmp_path):
    touch(tmp_path, "hit/a.mp4", "hit/s1/a.mp4", "hit/a.avi", "play/a.mp4")
    ids = [clip.clip_id for clip in scan(tmp_path).clips]
    assert len(set(ids)) == 4
    assert all(clip_id.startswith("a-") for clip_id in ids)


def test_ids_stay_when_files_come_or_the_folder_moves(tmp_path):
    touch(tmp_path / "one", "hit/a.mp4", "play/b.mp4")
    before = {clip.clip_id for clip in scan(tmp_path / "one").clips}
    touch(tmp_path / "one", "hit/0.mp4")
    (tmp_path / "one").rename(tmp_path / "two")
    assert before < {clip.clip_id for clip in scan(tmp_path / "two").clips}


def test_ids_are_safe_file_names(tmp_path):
    touch(tmp_path, "hit/../hit/Ünï cöde: %d & so*.mp4", "play/日本.mp4", f"play/{'x' * 200}.mp4")
    for clip in scan(tmp_path).clips:
        assert clip.clip_id.isascii()
        assert len(clip.clip_id) <= 51
        assert not set(clip.clip_id) & set('/\\:*%. "')


def test_relative_source_gives_absolute_paths(tmp_path, monkeypatch):
    touch(tmp_path, "data/hit/a.mp4", "data/play/b.mp4")
    monkeypatch.chdir(tmp_path)
    assert scan(Path("data")) == scan(tmp_path / "data")


def test_links_are_followed_but_no_circle(tmp_path):
    touch(tmp_path, "store/a.mp4", "data/hit/b.mp4", "data/play/c.mp4")
    (tmp_path / "data/hit/more").symlink_to(tmp_path / "store")
    (tmp_path / "data/hit/around").symlink_to(tmp_path / "data/hit")
    assert [name for name, _ in names(scan(tmp_path / "data"))] == ["b.mp4", "a.mp4", "c.mp4"]


def test_pipe_is_not_opened(tmp_path):
    touch(tmp_path, "hit/a.mp4", "play/b.mp4")
    os.mkfifo(tmp_path / "hit/pipe.mp4")
    catalog = scan(tmp_path)
    assert len(catalog.clips) == 2
    assert [reject.reason.split("/")[-1] for reject in catalog.rejects] == [
        "pipe.mp4 is a pipe or device, no file"
    ]


def test_a_link_to_nothing_and_a_circle_are_named(tmp_path):
    touch(tmp_path, "hit/a.mp4", "play/b.mp4")
    (tmp_path / "hit/gone.mp4").symlink_to(tmp_path / "gone")
    (tmp_path / "hit/self.mp4").symlink_to(tmp_path / "hit/self.mp4")
    reasons = [reject.reason.split("/")[-1] for reject in scan(tmp_path).rejects]
    assert reasons == [
        "gone.mp4 is a link to what is not there",
        "self.mp4 cannot be read: Too many levels of symbolic links",
    ]


@pytest.fixture
def not_root():
    """Run a test as a user whom permissions stop; return a folder of that user's."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o777)
    is_root = os.geteuid() == 0
    if is_root:
        os.seteuid(65534)
    try:
        yield folder
    finally:
        if is_root:
            os.seteuid(0)
        for path in folder.rglob("*"):
            if path.is_dir():
                path.chmod(0o700)
        shutil.rmtree(folder)


def test_unreadable_class_folder_is_rejected_and_the_others_are_kept(not_root):
    data = touch(not_root / "data", "hit/a.mp4", "play/b.mp4", "rest/c.mp4")
    (data / "rest").chmod(0)
    catalog = scan(data)
    assert len(catalog.clips) == 2
    assert any("cannot be read" in reject.reason for reject in catalog.rejects)


def test_a_folder_that_may_be_listed_but_not_entered(not_root):
    data = touch(not_root / "data", "hit/a.mp4", "play/b.mp4", "rest/c.mp4")
    (data / "rest").chmod(0o600)
    catalog = scan(data)
    assert len(catalog.clips) == 2
    assert "c.mp4 cannot be read: Permission denied" in catalog.rejects[0].reason


def test_unreadable_source(not_root):
    data = touch(not_root / "data", "hit/a.mp4", "play/b.mp4")
    data.chmod(0)
    with pytest.raises(NoClipsError, match="cannot be read"):
        scan(data)


# Manifests


def test_manifest_with_all_columns(tmp_path):
    manifest = write(
        tmp_path / "list.csv",
        "Path,LABEL,start_s,end_s,group,subject,split,camera",
        "a.mp4,hit,1.5,3,g1,s1,train,left",
        "sub/b.mp4, play ,,,g2,s2,Validation,right",
    )
    first, second = scan(manifest).clips
    assert (first.path, first.label, first.start_s, first.end_s) == (
        tmp_path / "a.mp4",
        "hit",
        1.5,
        3.0,
    )
    assert (first.group, first.subject, first.split) == ("g1", "s1", "train")
    assert (second.label, second.start_s, second.end_s, second.split) == ("play", 0.0, None, "val")


def test_folder_with_a_manifest_uses_it(tmp_path):
    touch(tmp_path, "x/a.mp4", "x/b.mp4", "y/c.mp4")
    write(tmp_path / "manifest.csv", "path,label", "x/a.mp4,hit", "x/b.mp4,play")
    assert names(scan(tmp_path)) == [("a.mp4", "hit"), ("b.mp4", "play")]


def test_folder_with_another_csv_of_that_name_does_not(tmp_path):
    touch(tmp_path, "x/a.mp4", "y/c.mp4")
    write(tmp_path / "manifest.csv", "file,sha256", "x/a.mp4,00")
    assert names(scan(tmp_path)) == [("a.mp4", "x"), ("c.mp4", "y")]


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_spreadsheet_exports(tmp_path, delimiter):
    lines = [delimiter.join(line) for line in (("path", "label"), ("a.mp4", "x"), ("b.mp4", "y"))]
    path = tmp_path / "m.csv"
    path.write_text("\r\n".join(lines), encoding="utf-8-sig")
    assert names(scan(path)) == [("a.mp4", "x"), ("b.mp4", "y")]


def test_windows_paths(tmp_path):
    manifest = write(tmp_path / "m.csv", "path,label", "x\\a.mp4,hit", "y\\b.mp4,play")
    assert scan(manifest).clips[0].path == tmp_path / "x" / "a.mp4"


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (",hit,,,", "path or label is empty"),
        ("c.mp4,,,,", "path or label is empty"),
        ("c\0.mp4,hit,,,", "null byte"),
        ("c.mp4,hit,two,,", "start_s and end_s are times: expected seconds such as 62.5"),
        ("c.mp4,hit,3,2,", "expected 0 <= start_s < end_s"),
        ("c.mp4,hit,-1,2,", "expected 0 <= start_s < end_s"),
        ("c.mp4,hit,nan,2,", "expected seconds such as 62.5"),
        ("c.mp4,hit,1,inf,", "expected seconds such as 62.5"),
        ("c.mp4,hit,,,holdout", "split is train, val or test"),
        ("a.mp4,play,,,", "listed before, in line 2 as 'hit'"),
    ],
)
def test_bad_row_is_rejected_with_its_line_and_the_others_are_kept(tmp_path, row, reason):
    manifest = write(
        tmp_path / "m.csv", "path,label,start_s,end_s,split", "a.mp4,hit,,,", "b.mp4,play,,,", row
    )
    catalog = scan(manifest)
    assert len(catalog.clips) == 2
    (reject,) = catalog.rejects
    assert reject.reason.startswith("line 4 of m.csv: ")
    assert reason in reject.reason


def test_two_stretches_of_one_video_are_two_clips(tmp_path):
    manifest = write(
        tmp_path / "m.csv",
        "path,label,start_s,end_s",
        "a.mp4,hit,0,2",
        "a.mp4,play,2,4",
        "a.mp4,hit,2,5",
    )
    assert len({clip.clip_id for clip in scan(manifest).clips}) == 3


def test_a_relative_path_may_lead_out_of_the_folder(tmp_path):
    manifest = write(tmp_path / "d" / "m.csv", "path,label", "../a.mp4,hit", "b.mp4,play")
    assert {clip.path for clip in scan(manifest).clips} == {
        tmp_path / "a.mp4",
        tmp_path / "d" / "b.mp4",
    }


def test_times_and_numbers_as_spreadsheets_write_them(tmp_path):
    manifest = write(
        tmp_path / "m.csv",
        "path;label;start_s;end_s",
        "a.mp4;hit;0,5;2,25",
        "b.mp4;play;00:01:00.5;1:02",
    )
    assert [(c.start_s, c.end_s) for c in scan(manifest).clips] == [(0.5, 2.25), (60.5, 62.0)]


def test_a_manifest_in_class_folders_is_never_ignored_for_its_encoding(tmp_path):
    for name in ("hit/a.mp4", "play/b.mp4"):
        touch(tmp_path, name)
    (tmp_path / "manifest.csv").write_bytes(
        "path,label,group,note\nhit/a.mp4,hit,child1,schlägt\nplay/b.mp4,play,child1,\n".encode(
            "cp1252"
        )
    )
    catalog = scan(tmp_path)
    assert {clip.group for clip in catalog.clips} == {"child1"}
    assert "it is read as Windows cp1252" in catalog.notes[0]


def test_a_name_is_found_in_either_form_of_its_accents(tmp_path):
    touch(tmp_path, unicodedata.normalize("NFD", "é.mp4"))
    manifest = write(tmp_path / "m.csv", "path,label", "é.mp4,hit", "b.mp4,play")
    assert all(clip.path.exists() for clip in scan(manifest).clips if clip.label == "hit")


def test_name_that_begins_with_dots_is_inside(tmp_path):
    manifest = write(tmp_path / "m.csv", "path,label", "..a.mp4,hit", "b.mp4,play")
    assert len(scan(manifest).clips) == 2


def test_absolute_path_may_be_anywhere(tmp_path):
    manifest = write(tmp_path / "d/m.csv", "path,label", f"{tmp_path}/a.mp4,hit", "b.mp4,play")
    assert scan(manifest).clips[0].path == tmp_path / "a.mp4"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"file,label\na.mp4,hit\n", "missing: path"),
        (b"", "needs a first line with the names of its columns"),
        (b"path,label\n\x81\x8d\x00,hit\n", "is no text in UTF-8, UTF-16 or cp1252"),
    ],
)
def test_manifest_that_is_none(tmp_path, content, message):
    path = tmp_path / "m.csv"
    path.write_bytes(content)
    with pytest.raises((ManifestError, NoClipsError), match=message):
        scan(path)


def test_split_for_some_clips_only(tmp_path):
    manifest = write(tmp_path / "m.csv", "path,label,split", "a.mp4,hit,train", "b.mp4,play,")
    with pytest.raises(ManifestError, match="filled for 1 of 2 clips"):
        scan(manifest)


# Groups


@pytest.fixture
def manifest(tmp_path):
    return write(
        tmp_path / "m.csv",
        "path,label,group,Subject",
        "s1/a.mp4,hit,g1,anna",
        "s1/b.mp4,play,,anna",
        "s2/c.mp4,hit,g1,ben",
    )


def groups(catalog):
    return [clip.group for clip in catalog.clips]


def test_groups_from_the_column_group_and_blank_ones_from_the_video(manifest):
    catalog = scan(manifest)
    assert groups(catalog) == ["g1", "video s1/b.mp4", "g1"]
    assert catalog.group_source == "column group"


def test_groups_from_a_named_column(manifest):
    catalog = scan(manifest, "subject")
    assert groups(catalog) == ["anna", "anna", "ben"]
    assert catalog.group_source == "column subject"


def test_groups_from_a_pattern(manifest):
    catalog = scan(manifest, r"^(s\d)/")
    assert groups(catalog) == ["s1", "s1", "s2"]
    assert catalog.group_source == r"pattern ^(s\d)/"


def test_pattern_sees_the_path_below_the_source(tmp_path):
    touch(tmp_path, "hit/kim_1.mp4", "play/kim_2.mp4", "play/lee_1.mp4")
    assert groups(scan(tmp_path, r"/(\w+)_")) == ["kim", "kim", "lee"]


@pytest.mark.parametrize(
    ("group_by", "message"),
    [
        ("(", "no regular expression"),
        ("child", "no column .* has 0 groups"),
        ("(a)(b)", "has 2 groups"),
        (r"(s1)/", "finds nothing in the path 's2/c.mp4'"),
    ],
)
def test_group_by_that_cannot_be_used(manifest, group_by, message):
    with pytest.raises(ManifestError, match=message):
        scan(manifest, group_by)


def test_empty_group_column_is_as_none(tmp_path):
    manifest = write(tmp_path / "m.csv", "path,label,group", "a.mp4,hit,", "b.mp4,play,")
    assert scan(manifest).group_source == SCENES


def test_a_video_as_source_is_told_what_is_due(tmp_path):
    (tmp_path / "one.mp4").write_bytes(b"\0\0\0\x18ftypmp42")
    with pytest.raises(NoClipsError) as error:
        scan(tmp_path / "one.mp4")
    assert str(error.value) == (
        f"{tmp_path / 'one.mp4'} is a video or another file, not a table: give a folder with a "
        "sub-folder of clips for each class, or a manifest (CSV with the columns path,label)"
    )
