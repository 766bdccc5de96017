"""Files that users really have, each by every way into the product: read right, or one clear line.

They lie in the shared folder; further ones that are put there must at least be one of the two.
"""

from __future__ import annotations

import os
import shutil
import unicodedata
import warnings
from pathlib import Path

import av
import numpy as np
import pytest
from bundles import SPEC, make_bundle
from cameras import watching
from videos import make_clip

import har
from har.config import WatchConfig
from har.errors import HarError
from har.events.files import save_scores
from har.interchange.coding import read_coding
from har.types import Scores
from har.video.file.reader import open_video

_ROOT = Path(__file__).parents[2]
ODD = Path(os.environ.get("HAR_SHARED_DATA", _ROOT / ".." / "shared" / "data")) / "odd"
READ = {
    "geox_negative_linesize.avi": (50, 2.0, ""),
    "h264_bframes.avi": (100, 4.0, ""),
    "jump_10_days.mkv": (50, 2.0, "there are no frames from 1.76 to 864001.80 s"),
    "matrix_hflip.mp4": (50, 2.0, ""),
    "restarted_clock_seek.ts": (500, 20.0, "the container gives a length of 10.00 s"),
    "start_3600s.mkv": (100, 4.0, ""),
}
"""Frames, seconds, and what the note of a video says."""
REFUSED = {"unknown_fourcc.avi": "is coded with the codec 'ZQQZ' that FFmpeg has no decoder for"}
MANIFESTS = ("case", "deccomma", "hms", "latin1", "nfc", "sepline")
TABLES = (*MANIFESTS, "dupcol", "manifest_cp1252_in_class_folders", "truth_decimal_comma")

_found = [path.name for path in ODD.iterdir()] if ODD.is_dir() else []
VIDEOS = sorted({*READ, *REFUSED, *(name for name in _found if not name.endswith(".csv"))})
pytestmark = pytest.mark.skipif(not ODD.is_dir(), reason=f"no odd files at {ODD}")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> har.Model:
    return har.load(make_bundle(tmp_path_factory.mktemp("bundle")))


def _check_refusal(name: str, text: str) -> None:
    """An unreadable file is refused in a line; one that is known to be odd, in known words."""
    assert name not in READ, text
    assert REFUSED.get(name, name) in text
    assert "\n" not in text
    assert len(text) < 400
    assert "unexpected" not in text, "nobody foresaw it"


def _read_all(path: Path) -> list[np.ndarray]:
    with open_video(path, SPEC.size, "gray") as reader:
        return [frame.image for frame in reader]


@pytest.mark.parametrize("name", VIDEOS)
def test_predict(model: har.Model, tmp_path: Path, name: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        (result,) = har.predict(ODD / name, out=tmp_path, model=model).results
    if result.error:
        _check_refusal(name, result.error)
        return
    n_frames, duration_s, said = READ.get(name, (None, result.duration_s, ""))
    assert result.duration_s == pytest.approx(duration_s, abs=0.05)
    assert result.note.startswith(said)
    assert bool(result.note) is bool(said) or n_frames is None
    assert np.isfinite(result.scores.values).all()


@pytest.mark.parametrize("name", READ)
def test_pictures_are_upright_and_complete(name: str) -> None:
    with open_video(ODD / name, color="gray") as reader:
        images = [frame.image for frame in reader]
    assert len(images) == READ[name][0]
    with av.open(str(ODD / name)) as container:
        first = next(container.decode(video=0)).to_ndarray(format="rgb24")
    expected = first[:, ::-1] if name == "matrix_hflip.mp4" else first
    assert np.abs(images[0] - expected @ np.array([0.299, 0.587, 0.114])).mean() < 4.0


@pytest.mark.parametrize("name", VIDEOS)
def test_prepare_and_clips_by_start(tmp_path: Path, name: str) -> None:
    spans = [(1.0, 1.6), (12.0, 12.4), (864_001.8, 864_002.0)]
    usual = make_clip(tmp_path / "usual.mp4", size=(120, 160))
    rows = [f"{ODD / name},odd,{start_s},{end_s}" for start_s, end_s in spans]
    rows += [f"{ODD / name},odd,,", f"{usual},usual,,"]
    (tmp_path / "m.csv").write_text("\n".join(["path,label,start_s,end_s", *rows]))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            store = har.prepare(tmp_path / "m.csv", store=tmp_path / "store")
    except HarError as error:
        _check_refusal(name, str(error))
        return
    with open_video(ODD / name, store.size, "gray", store.max_rate_hz) as reader:
        frames = list(reader)
    for clip in (clip for clip in store.clips if clip.label == "odd"):
        end_s = np.inf if clip.end_s is None else clip.end_s
        inside = [f for f in frames if clip.start_s - 1e-6 <= f.time_s < end_s - 1e-6]
        if clip.end_s is None and frames[-1].segment:
            inside = [frame for frame in inside if frame.segment == 0]
        assert np.array_equal(store.open_frames(clip.clip_id), [frame.image for frame in inside])
    for reject in store.rejects:
        assert reject.reason.startswith("the video has no frame from")
    n_odd = {"restarted_clock_seek.ts": 3, "jump_10_days.mkv": 3}.get(name, 2)
    assert len(store.clips) == 1 + n_odd or name not in READ


@pytest.mark.parametrize("name", VIDEOS)
def test_watch(model: har.Model, tmp_path: Path, name: str) -> None:
    usual = make_clip(tmp_path / "usual.mp4", 50)
    sources = [f"odd={ODD / name}", f"usual={usual}"]
    with watching(model.recognizer, sources, WatchConfig(), speed=5.0) as (memory, wait):
        wait(lambda: all(memory.walk(own)[-1:] == ["ended"] for own in ("odd", "usual")), 30.0)
    last = {state.name: state for state in memory.states}
    assert last["usual"].n_frames == 50, "the other camera goes on"
    notes = [state.note for state in memory.states if state.name == "odd" and state.note]
    if name in READ:
        lost = 4 if name == "jump_10_days.mkv" else 0  # B-frames that lean on both sides
        assert READ[name][0] - lost <= last["odd"].n_frames <= READ[name][0]
        leaps = {"jump_10_days.mkv": "leapt ahead", "restarted_clock_seek.ts": "went back"}
        assert all(leaps.get(name, "nothing") in note for note in notes), notes
    elif not last["odd"].n_frames:
        _check_refusal(name, notes[0])


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The videos that the tables name, one of them as a Mac writes its name."""
    folder = tmp_path_factory.mktemp("clips")
    names = [f"vid/{letter}{n}" for letter in "fn" for n in range(6)]
    names += [f"fight/fi00{n}" for n in range(1, 5)] + [f"noFight/nofi00{n}" for n in range(1, 5)]
    names += ["vid/größe", unicodedata.normalize("NFD", "vid/größe_é")]
    first = make_clip(folder / "first.mp4", 50)
    for name in names:
        path = folder / f"{name}.mp4"
        path.parent.mkdir(exist_ok=True)
        shutil.copy(first, path)
    return folder


@pytest.mark.parametrize("name", TABLES)
def test_tables_as_manifests(clips: Path, tmp_path: Path, name: str) -> None:
    manifest = shutil.copy(ODD / f"{name}.csv", clips / "manifest.csv")
    source = clips if name.startswith("manifest") else manifest
    if name in ("dupcol", "truth_decimal_comma"):
        said = (
            "the column label more than once" if name == "dupcol" else "is a coding of recordings"
        )
        with pytest.raises(HarError, match=said):
            har.prepare(source, store=tmp_path)
        return
    done = har.prepare(source, store=tmp_path)
    assert done.rejects == ()
    spans = {(clip.start_s, clip.end_s) for clip in done.clips}
    assert spans == {
        "deccomma": {(0.5, 2.0)},
        "hms": {(0.5, 2.0)},
        "manifest_cp1252_in_class_folders": {(0.0, 1.5)},
    }.get(name, {(0.0, None)})
    n_groups = {"manifest_cp1252_in_class_folders": 4, "latin1": 7, "nfc": 7}.get(name, 6)
    assert len({clip.group for clip in done.clips}) == n_groups
    said = {
        "case": "differ in case",
        "latin1": "cp1252",
        "manifest_cp1252_in_class_folders": "1252",
    }
    assert said.get(name, "") in " ".join(done.report.warnings)


@pytest.mark.parametrize("name", TABLES)
def test_tables_as_codings(tmp_path: Path, name: str) -> None:
    times_s = np.arange(200) * 0.1 + 0.05
    values = np.where((times_s >= 0.5) & (times_s < 11), 0.9, 0.1).astype(np.float32)
    scores = Scores(("fight", "noFight"), times_s, np.stack([values, 1 - values], axis=1), 0.1)
    save_scores(tmp_path / "base.scores.csv", scores)
    har.recut(tmp_path, out=tmp_path)
    table = ODD / f"{name}.csv"
    if name == "truth_decimal_comma":
        (event,) = read_coding(table).videos[0].events
        assert (event.label, event.onset_s, event.offset_s) == ("fight", 0.5, 11.0)
        found = har.score_events(tmp_path / "events.json", table)
        assert found.metrics.overall.figures["recall"].mean == 1.0
        assert har.tune(tmp_path / "base.scores.csv", table).per_label[0].n_hits == 1
        return
    for use in (
        lambda: har.score_events(tmp_path / "events.json", table),
        lambda: har.tune(tmp_path / "base.scores.csv", table),
    ):
        with pytest.raises(HarError) as caught:
            use()
        assert "\n" not in str(caught.value)
        assert f"{name}.csv" in str(caught.value)


@pytest.mark.parametrize("name", TABLES)
def test_tables_are_no_videos(model: har.Model, tmp_path: Path, name: str) -> None:
    with pytest.warns(UserWarning, match=rf"Left out .*{name}\.csv: "):
        (result,) = har.predict(ODD / f"{name}.csv", out=tmp_path, model=model).results
    assert result.error
    with watching(model.recognizer, [f"a={ODD / name}.csv"], WatchConfig()) as (memory, wait):
        wait(lambda: memory.walk("a")[-1:] == ["ended"], 20.0)
    assert "cannot be read as a video" in memory.notes()[0]
