"""The front door: light, typed, and its results say the same as the parts below it."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from bundles import make_bundle, make_people_bundle
from videos import make_clip, make_not_a_video

import har
from har.config import DecodeConfig
from har.errors import (
    ConfigError,
    EmptyVideoError,
    OutputError,
    VideoNotFoundError,
    VideoOpenError,
)
from har.inference.model import Recognizer
from har.inference.video import recognize_video
from har.video.file.reader import open_video


@pytest.fixture
def model(tmp_path: Path) -> har.Model:
    return har.load(make_bundle(tmp_path / "bundle"))


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return make_clip(tmp_path / "videos" / "a.mp4", n_frames=50)


def _read(path: Path) -> np.ndarray:
    with open_video(path) as reader:
        return np.stack([frame.image for frame in reader])


def _run(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_importing_har_loads_no_other_package():
    heavy = {"numpy", "cv2", "av", "onnxruntime", "keras", "tensorflow", "click", "tqdm"}
    code = f"import har, sys; dir(har); print(sorted({heavy!r} & set(sys.modules)))"
    assert _run(code) == "[]"
    assert _run("import har; print(har.HarError.__mro__[1].__name__)") == "Exception"


def test_every_public_name_is_there_documented_and_no_other_is():
    for name in har.__all__:
        assert getattr(har, name) is not None
        assert name in dir(har)
        if callable(getattr(har, name)):
            assert getattr(har, name).__doc__
    with pytest.raises(AttributeError, match="nothing"):
        har.nothing  # noqa: B018


def test_public_names_stay_what_they_are_whatever_is_imported():
    code = (
        "import importlib, pkgutil, har\n"
        "before = {name: getattr(har, name) for name in har.__all__}\n"
        "for item in pkgutil.iter_modules(har.__path__, 'har.'):\n"
        "    importlib.import_module(item.name) if item.name != 'har.__main__' else None\n"
        "print([name for name in har.__all__ if getattr(har, name) is not before[name]])"
    )
    assert _run(code) == "[]"


def test_a_file_gives_what_the_parts_give(model, clip):
    found = recognize_video(Recognizer(model.path, n_threads=1), clip)
    result = model.predict(str(clip))
    assert (result.label, result.probs, result.events) == (found.label, found.probs, found.events)
    np.testing.assert_array_equal(result.scores.values, found.scores.values)
    assert result.scores.values.shape == (len(result.scores.times_s), 2)
    assert (model.labels, model.info.labels, model.name) == (("still", "active"),) * 2 + ("bundle",)


def test_frames_of_an_array_are_recognized_as_those_of_a_file(model, clip):
    from_file, frames = model.predict(clip), _read(clip)
    result = model.predict(frames, fps=25, name="mine")
    assert (result.info.path.name, result.info.n_frames, result.duration_s) == ("mine", 50, 2.0)
    np.testing.assert_array_equal(result.scores.times_s, from_file.scores.times_s)
    np.testing.assert_allclose(result.scores.values, from_file.scores.values, atol=0.02)
    gray = model.predict(frames[..., 1], fps=25)
    assert gray.label == result.label


def test_faster_arrays_are_thinned_as_files_are(model):
    frames = np.random.default_rng(0).integers(0, 255, (120, 32, 48), np.uint8)
    seen: list[float] = []
    model.predict(frames, fps=60, progress=lambda done_s, total_s: seen.append(done_s))
    assert len(seen) == 60
    assert seen[:3] == pytest.approx([0, 1 / 30, 2 / 30])


@pytest.mark.parametrize(
    ("frames", "options", "message"),
    [
        (np.zeros((9, 32, 48), np.uint8), {}, "fps"),
        (np.zeros((9, 32, 48), np.uint8), {"fps": 0}, "from 0.1 to 1000"),
        (np.zeros((9, 32, 48, 3), np.float32), {"fps": 25}, "uint8"),
        (np.zeros((9, 32, 48, 4), np.uint8), {"fps": 25}, r"\(32, 48, 4\)"),
        (np.zeros((32, 48, 3), np.uint8), {"fps": 25}, r"\(48, 3\)"),
        (np.zeros((48,), np.uint8), {"fps": 25}, r"\(\)"),
    ],
)
def test_arrays_that_are_no_video_are_refused(model, frames, options, message):
    with pytest.raises(ConfigError, match=message):
        model.predict(frames, **options)


def test_an_array_of_no_frames_is_too_short(model):
    with pytest.raises(EmptyVideoError, match="0 readable"):
        model.predict(np.zeros((0, 32, 48), np.uint8), fps=25)


def test_fps_is_for_arrays_only(model, clip):
    with pytest.raises(ConfigError, match="array"):
        model.predict(clip, fps=25)  # type: ignore[call-overload]


def test_one_video_that_cannot_be_read_is_an_error(model, tmp_path):
    with pytest.raises(VideoNotFoundError):
        model.predict(tmp_path / "none.mp4")
    with pytest.raises(VideoOpenError):
        model.predict(make_not_a_video(tmp_path / "noise.mp4"))


def test_of_several_each_has_a_result_and_the_unreadable_say_why(model, clip, tmp_path):
    noise = make_not_a_video(clip.with_name("b.mp4"))
    with pytest.warns(UserWarning, match=r"Left out .*(b|none)\.mp4"):
        results = model.predict([noise, clip, str(tmp_path / "none.mp4")])
    assert [bool(result.error) for result in results] == [True, False, True]
    assert results[0].to_json() == {"video": str(noise), "error": results[0].error}
    assert (results[0].label, results[0].events, results[0].scores.values.shape) == ("", (), (0, 2))
    assert "b.mp4" in results[0]._repr_html_()
    assert results[0].uncertain_share == 0
    assert results[0].recut(onset=0.9).events == ()
    for broken in (results[0].plot, lambda: results[0].save(tmp_path / "out")):
        with pytest.raises(har.VideoError, match=r"b\.mp4"):
            broken()


def test_a_folder_is_recognized_as_it_is_asked_for(model, clip):
    make_clip(clip.with_name("b.mp4"), n_frames=50)
    found = model.predict(clip.parent)
    assert next(found).info.path == clip
    clip.with_name("b.mp4").unlink()
    with pytest.warns(UserWarning, match="Left out"):
        assert next(found).error
    with pytest.raises(StopIteration):
        next(found)


def test_rules_are_checked_before_anything_is_looked_at(model, tmp_path):
    with pytest.raises(ConfigError, match="stil"):
        model.predict(tmp_path / "none.mp4", changes={"stil.onset": 0.7})
    with pytest.raises(ConfigError, match="onset"):
        model.predict(tmp_path, decode=DecodeConfig(background="other"), changes={"onset": 2})


def test_rules_come_from_the_model_a_file_and_single_settings(model, clip, tmp_path):
    rules = tmp_path / "rules.json"
    rules.write_text('{"onset": 0.9, "offset": 0.5}')
    result = model.predict(clip, decode=rules, changes={"active.min_s": 1.0})
    assert result.decode == DecodeConfig(onset=0.9, offset=0.5, labels={"active": {"min_s": 1.0}})
    assert model.predict(clip, decode=result.decode).decode == result.decode


def test_events_are_cut_again_as_if_they_had_been_cut_so(model, clip):
    result = model.predict(clip)
    again = result.recut(onset=0.99, **{"active.offset": 0.2})
    direct = model.predict(clip, changes={"onset": 0.99, "active.offset": 0.2})
    assert (again.events, again.decode) == (direct.events, direct.decode)
    assert again.recut(result.decode).events == result.events
    assert again.scores is result.scores


def test_people_keep_their_numbers_when_events_are_cut_again(tmp_path):
    from acting import make_scene

    model = har.load(make_people_bundle(tmp_path / "bundle"))
    path = make_scene(tmp_path / "acts.mp4", lambda _: ((0.3, False), (0.7, True)), 1.5)
    result = model.predict(path, keep_places=True)
    assert result.events[0].subject
    assert result.pose_tracks is not None
    assert result.recut(result.decode).events == result.events
    assert "1→2" in result._repr_html_() or "2→1" in result._repr_html_()


def test_a_result_shows_itself_and_what_it_holds_is_escaped(model, tmp_path):
    path = make_clip(tmp_path / "<b>.mp4", n_frames=50)
    result = model.predict(path).recut(onset=0.1, offset=0.1)
    page = result._repr_html_()
    assert "data:image/svg+xml;base64," in page
    assert page.count("<tr>") == 1 + len(result.events) > 1
    assert "<b>.mp4" not in page
    assert "b>.mp4" in repr(result)


def test_the_plot_is_a_file_and_shows_itself(model, clip, tmp_path):
    plot = model.predict(clip).plot(tmp_path / "deep" / "a.svg")
    assert plot.svg.startswith("<svg ")
    assert plot._repr_svg_() == (tmp_path / "deep" / "a.svg").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"fps": 1e-9}, "from 0.1 to 1000 frames a second"),
        ({"fps": float("nan")}, "from 0.1 to 1000 frames a second"),
        ({"fps": 25, "name": ""}, "a name that a file could have"),
        ({"fps": 25, "name": ".."}, "a name that a file could have"),
    ],
)
def test_numbers_and_names_that_are_slips_are_refused(model, options, said):
    with pytest.raises(ConfigError, match=said):
        model.predict(np.zeros((20, 32, 64, 3), np.uint8), **options)


def test_a_model_stays_the_one_that_was_loaded_wherever_one_goes(model, tmp_path, monkeypatch):
    monkeypatch.chdir(model.path.parent)
    loaded = har.load(model.path.name)
    monkeypatch.chdir(tmp_path)
    assert loaded.path == model.path
    assert loaded.path.is_absolute()


def test_a_name_too_long_stops_no_other(model, clip):
    with pytest.warns(UserWarning, match="cannot be read"):
        results = model.predict(["x" * 300 + ".mp4", clip])
    assert sorted(bool(result.error) for result in results) == [False, True]


def test_a_plot_is_a_picture(model, clip, tmp_path):
    with pytest.raises(ConfigError, match=r"ends in \.svg, received"):
        model.predict(clip).plot(tmp_path / "timeline.mp4")


def test_a_result_without_a_video_has_nothing_to_annotate(model, tmp_path):
    result = model.predict(np.zeros((20, 32, 64, 3), np.uint8), fps=10)
    with pytest.raises(VideoNotFoundError, match="has none"):
        result.save(tmp_path / "out", annotate=True)
    assert not (tmp_path / "out").exists()
    result.save(tmp_path / "out")
    assert repr(result.plot()) == "Plot()"


def test_tables_of_pandas(model, clip, tmp_path):
    pd = pytest.importorskip("pandas")
    result = model.predict(clip).recut(onset=0.1, offset=0.1)
    table = result.to_frame()
    assert list(table.columns) == ["time_s", "still", "active"]
    np.testing.assert_array_equal(table["active"].to_numpy(), result.scores.values[:, 1])
    base = result.save(tmp_path / "out")
    events, written = result.events_to_frame(), pd.read_csv(base.with_name("a.events.csv"))
    assert list(events.columns) == list(written.columns)
    np.testing.assert_allclose(events["start_s"], written["start_s"], atol=5e-4)
    assert events["subject"].isna().all()
    empty = result.recut(min_s=600).events_to_frame()
    assert empty.dtypes.tolist() == events.dtypes.tolist()
    assert len(empty) == 0


def test_without_pandas_the_extra_is_named(tmp_path):
    bundle = make_bundle(tmp_path / "bundle")
    code = (
        "import sys; sys.modules['pandas'] = None\n"
        "import har, numpy as np\n"
        f"result = har.load({str(bundle)!r}).predict(np.zeros((9, 32, 48), np.uint8), fps=25)\n"
        "try: result.to_frame()\n"
        "except har.MissingDependencyError as error: print(error)"
    )
    assert "human-action-recognition[pandas]" in _run(code)


def test_a_name_with_a_null_byte_is_refused_wherever_it_is_given(model, clip, tmp_path):
    name = "a\0b"
    with pytest.warns(UserWarning, match="null byte"):
        (result,) = model.predict([name])
    assert result.error == r"a\x00b cannot be read: embedded null byte"
    found = model.predict(clip)
    for use in (
        lambda: found.save(name),
        lambda: found.plot(f"{name}.svg"),
        lambda: har.predict(clip, out=name, model=model),
        lambda: har.recut(found.save(tmp_path).parent, out=name),
    ):
        with pytest.raises(OutputError, match="null byte"):
            use()
