"""`har events`: from saved scores to events, without network or video."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from bundles import make_bundle
from click.testing import CliRunner, Result

from har.cli import har
from har.config import DecodeConfig
from har.errors import ConfigError
from har.events.files import save_scores
from har.types import People, Scores


@pytest.fixture
def scores(tmp_path: Path) -> Path:
    """Two acts of 2 s, of which the second scores less."""
    hit = np.repeat(np.array([0.1, 0.9, 0.1, 0.65, 0.1], np.float32), [8, 16, 16, 16, 8])
    times_s = (np.arange(64) + 0.5) / 8
    path = tmp_path / "in" / "a.scores.csv"
    save_scores(path, Scores(("playing", "hit"), times_s, np.stack([1 - hit, hit], axis=1), 1 / 8))
    return path


def _run(*arguments: object) -> Result:
    return CliRunner().invoke(har, ["events", *map(str, arguments)])


def _spans(out: Path) -> list[tuple[float, float]]:
    (video,) = json.loads((out / "events.json").read_text())
    return [(event["onset_s"], event["offset_s"]) for event in video["events"]]


def test_events_are_cut_again_with_other_rules(scores: Path, tmp_path: Path) -> None:
    assert _run(scores, "--out", tmp_path / "a").exit_code == 0
    assert _spans(tmp_path / "a") == [(1.0, 3.0), (5.0, 7.0)]
    assert _run(scores, "--set", "hit.onset=0.7", "--out", tmp_path / "b").exit_code == 0
    assert _spans(tmp_path / "b") == [(1.0, 3.0)]
    assert _run(scores.parent, "--set", "merge_gap_s=3", "--out", tmp_path / "c").exit_code == 0
    assert _spans(tmp_path / "c") == [(1.0, 7.0)]
    assert sorted(path.name for path in (tmp_path / "c").iterdir()) == [
        "a.events.csv",
        "a.events.vtt",
        "events.csv",
        "events.json",
    ]
    assert scores.is_file()


def test_rules_come_from_the_bundle_a_file_and_the_options_in_this_order(
    scores: Path, tmp_path: Path
) -> None:
    decode = DecodeConfig("playing", labels={"hit": {"onset": 0.95}})
    bundle = make_bundle(tmp_path / "bundle", ("playing", "hit"), decode=decode)
    base = [scores, "--bundle", bundle, "--json", "--out", tmp_path / "out"]
    assert json.loads(_run(*base).stdout)[0]["events"] == []
    rules = tmp_path / "rules.json"
    rules.write_text('{"labels": {"hit": {"onset": 0.7}}}')
    found = json.loads(_run(*base, "--decode", rules).stdout)[0]
    assert len(found["events"]) == 1
    assert found["decode"]["labels"] == {"hit": {"onset": 0.7}}
    found = json.loads(_run(*base, "--decode", rules, "--set", "hit.onset=0.5").stdout)[0]
    assert len(found["events"]) == 2
    assert found["totals"]["labels"] == [
        {"label": "hit", "n_events": 2, "total_s": 4.0, "per_hour": 900.0}
    ]


def test_the_video_keeps_its_name_and_the_people_theirs(tmp_path: Path) -> None:
    values = np.tile(np.array([0.1, 0.9], np.float32), (8, 1))
    people = People(*np.full((2, 8, 2), [[[2]], [[1]]]), np.ones(8, np.float32))
    for label in ("hit", "hitting_self"):
        grid = (np.arange(8) + 0.5) / 8
        save_scores(
            tmp_path / f"{label}.scores.csv",
            Scores(("playing", label), grid, values, 1 / 8, people),
        )
    (tmp_path / "hit.result.json").write_text('{"info": {"path": "films/hit.mp4"}}')
    assert _run(tmp_path, "--out", tmp_path).exit_code == 0
    lines = (tmp_path / "events.csv").read_text().splitlines()[1:]
    assert lines == [
        "films/hit.mp4,0.000,1.000,hit,0.9000,2,1",
        "hitting_self,0.000,1.000,hitting_self,0.9000,2,",
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("hit=0.5", "LABEL"),
        ("kick.onset=0.7", r"\('playing', 'hit'\).*'kick'"),
        ("onset=2", "from 0"),
    ],
)
def test_rules_that_make_no_sense_are_refused(
    scores: Path, tmp_path: Path, text: str, message: str
) -> None:
    result = _run(scores, "--set", text, "--out", tmp_path / "out")
    with pytest.raises(ConfigError, match=message):
        raise result.exception  # type: ignore[misc]
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("text", ["onset", "onset=high", "="])
def test_a_setting_that_is_none_is_wrong_usage(scores: Path, text: str) -> None:
    assert _run(scores, "--set", text).exit_code == 2


def test_neither_network_nor_video_code_is_loaded(scores: Path, tmp_path: Path) -> None:
    program = (
        "import sys\n"
        "from har.cli import har\n"
        f"har(['events', {str(scores)!r}, '--out', {str(tmp_path / 'out')!r}], "
        "standalone_mode=False)\n"
        "heavy = {'onnxruntime', 'openvino', 'keras', 'tensorflow', 'cv2', 'av', 'matplotlib'}\n"
        "sys.exit(str(sorted(heavy & set(sys.modules))) if heavy & set(sys.modules) else 0)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
