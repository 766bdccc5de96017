"""A folder as users have them: 300 files of many kinds, broken ones among them, in one run.

Prints how much memory the run took: pytest -m slow -s tests/integration/test_mixed_folder.py
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from fuzz_cases import make_videos
from videos import (
    make_audio_only,
    make_clip,
    make_empty_file,
    make_huge,
    make_not_a_video,
    make_oriented,
    make_playlist,
    make_tagged_avi,
    make_truncated,
    make_truncated_mp4,
)

N_FILES = 300
SPREAD_MB = 40
"""A run counts as flat where its second half takes no more than this over its first."""
_ROOT = Path(__file__).parents[2]
_ODD = Path(os.environ.get("HAR_SHARED_DATA", _ROOT / ".." / "shared" / "data")) / "odd"


def _make_broken(folder: Path) -> dict[str, str]:
    """Write files that cannot be recognized; return what is said of each."""
    folder.mkdir()
    make_empty_file(folder / "empty.mp4")
    make_not_a_video(folder / "noise.avi")
    (folder / "letter.mp4").write_text("Dear all,\n" * 50)
    (folder / "page.mkv").write_text("<html></html>")
    (folder / "notes").write_text("no ending\n")
    make_audio_only(folder / "sound.mp4")
    make_clip(folder / "single.mp4", n_frames=1)
    make_huge(folder / "huge.avi")
    make_tagged_avi(folder / "unknown.avi", b"ZQQZ")
    make_truncated_mp4(folder / "head.mp4", keep=0.0)
    make_playlist(folder / "list.m3u8", ["../../outside.ts"])
    (folder / "gone.mp4").symlink_to(folder / "nowhere.mp4")
    os.mkfifo(folder / "pipe.mp4")
    cut = make_clip(folder / "cut.mov", codec="mpeg4").read_bytes()
    (folder / "cut.mov").write_bytes(cut[: len(cut) // 2])  # its index is at its end
    no_video = "cannot be read as a video"
    closed = {}
    if os.geteuid():  # nothing is closed to root
        make_clip(folder / "closed.mp4").chmod(0)
        closed = {"closed.mp4": "Permission denied"}
    return {
        **closed,
        **dict.fromkeys(("noise.avi", "letter.mp4", "page.mkv", "notes", "cut.mov"), no_video),
        "empty.mp4": "the file is empty",
        "sound.mp4": "holds no moving pictures",
        "single.mp4": "too few to recognize anything",
        "huge.avi": "pictures of",
        "unknown.avi": "that FFmpeg has no decoder for",
        "head.mp4": "readable frame(s)",
        "list.m3u8": "is not in its own folder",
        "gone.mp4": "is a link to what is not there",
        "pipe.mp4": "is a pipe or device",
    }


def _make_folder(folder: Path) -> tuple[set[str], dict[str, str]]:
    """Fill a folder; return the names of good files, and what is said of each bad one."""
    kinds = folder.with_name("kinds")
    kinds.mkdir()
    make_videos(kinds)
    make_truncated(kinds / "cut.mkv", keep=0.7, n_frames=50)
    make_oriented(kinds / "mirror.mp4", (-1, 0, 0, 1))
    folder.mkdir()
    bad = _make_broken(folder / "broken")
    good = set()
    if _ODD.is_dir():
        shutil.copytree(_ODD, folder / "odd")
        (folder / "odd").chmod(0o755)
        bad["unknown_fourcc.avi"] = "coded with the codec 'ZQQZ'"
        good = {path.name for path in _ODD.iterdir() if path.suffix != ".csv"} - set(bad)
    (folder / "texts").mkdir()
    for n in range(20):
        (folder / "texts" / f"{n}.{('txt', 'csv', 'json', 'srt')[n % 4]}").write_text("text\n")
    (folder / "video.mp4").mkdir()
    names = ["plain", "with blank", "größe", "x" * 240, "new\nline", "a\udce9b", "=1+1", "-dash"]
    (folder / "around").symlink_to(folder)
    sources = sorted(kinds.iterdir())
    n_left = N_FILES - sum(len(files) for _, _, files in os.walk(folder))
    for n in range(n_left):
        source = sources[n % len(sources)]
        name = f"{names[n % len(names)]}{n}{source.suffix}"
        place = folder if n % 3 else folder / "video.mp4"
        shutil.copy(source, place / name)
        good.add(name)
    (folder / "again.mp4").symlink_to(kinds / "sound.mp4")
    return good | {"again.mp4"}, bad


def _measure_mb(pid: int) -> float:
    """Return the memory of a process and all below it, what they share counted once in each."""
    kids = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGESIZE") / 1e6 + sum(_measure_mb(int(kid)) for kid in kids)


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="memory is read from Linux")
def test_every_good_file_is_done_every_bad_one_named_and_memory_is_flat(tmp_path: Path) -> None:
    good, bad = _make_folder(tmp_path / "films")
    words = [sys.executable, "-m", "har", "predict", "films", "--out", "out", "--jobs", "2"]
    began_s, seen = time.monotonic(), list[tuple[float, float]]()
    with (tmp_path / "log").open("w") as log:
        run = subprocess.Popen(words, cwd=tmp_path, stdout=log, stderr=log)
        while run.poll() is None:
            try:
                seen.append((time.monotonic() - began_s, _measure_mb(run.pid)))
            except (FileNotFoundError, ProcessLookupError):  # it has just ended
                continue
            time.sleep(0.05)
    text = (tmp_path / "log").read_text(errors="surrogateescape")
    assert run.returncode == 0, text
    assert "Traceback" not in text
    results = json.loads((tmp_path / "out" / "results.json").read_text())
    errors = {Path(item["video"]).name: item["error"] for item in results if "error" in item}
    done = {Path(item["video"]).name for item in results if "error" not in item}
    assert sorted(errors) == sorted(bad)
    for name, said in bad.items():
        assert said in errors[name]
        assert name in text
    assert done == good
    half_s = seen[-1][0] / 2
    first, second = (
        max(mb for at_s, mb in seen if (at_s >= half_s) is late) for late in (False, True)
    )
    print(
        f"\n{len(done)} done, {len(bad)} named in {seen[-1][0]:.0f} s; "
        f"most memory {first:.0f} MB in the first half, {second:.0f} MB in the second"
    )
    assert second < first + SPREAD_MB
