"""`har tune` and `har score-events`, as a user runs them."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from bundles import make_bundle
from click.testing import CliRunner
from coded import make_scores

from har.bundle import load_info
from har.cli import har
from har.config import DecodeConfig, load_config
from har.errors import HarError
from har.events.decoder import decode_events
from har.events.files import load_scores, save_scores


@pytest.fixture
def folder(tmp_path):
    """Three half hours: an act of 4 s scored .7 in each, and a false peak of 1 s."""
    rows = ["video,label,onset_s,offset_s"]
    for stem in "abc":
        scores = make_scores(1800, [(10, 14, 0.7), (100, 101, 0.7)])
        save_scores(tmp_path / "scores" / f"{stem}.scores.csv", scores)
        rows.append(f"{stem}.mp4,hit,10,14")
    (tmp_path / "truth.csv").write_text("\n".join(rows))
    (tmp_path / "events.csv").write_text("video,start_s,end_s,label\na.mp4,10,14,hit\n")
    return tmp_path


def run(*words):
    return CliRunner().invoke(har, [str(word) for word in words], catch_exceptions=False)


def test_tune_writes_rules_that_can_be_read_back_and_keeps_the_rest_of_a_bundle(folder):
    background = DecodeConfig(background="playing", tail=0.5)
    bundle = make_bundle(folder / "bundle", ("playing", "hit"), decode=background)
    before, out = load_info(bundle), folder / "decode.json"
    done = run(
        "tune", folder / "scores", "--reference", folder / "truth.csv", "--bundle", bundle,
        "--false-alarms-per-hour", "1", "--out", out, "--json",
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    decode = load_config(out, DecodeConfig())
    events = decode_events(load_scores(folder / "scores" / "a.scores.csv"), decode)
    assert [(event.label, round(event.onset_s)) for event in events] == [("hit", 10)]
    assert (decode.background, decode.rule("hit").tail) == ("playing", 0.5)
    values = json.loads(done.stdout)
    assert values["decode"] == json.loads(out.read_text())
    assert (values["recall"]["mean"], values["false_alarms_per_hour"]["mean"]) == (1.0, 0.0)
    assert "3 of 3" in done.stderr
    assert "1.5 h cannot support 1 false alarms per hour" in done.stderr
    after = load_info(bundle)
    assert after == replace(before, decode=decode, metrics=after.metrics)
    assert after.metrics["tune"]["n_recordings"] == 3


def test_score_events_prints_figures_and_writes_a_page(folder):
    words = ("score-events", folder / "events.csv", folder / "truth.csv")
    done = run(*words, "--scores", folder / "scores", "--out", folder / "out", "--json")
    assert done.exit_code == 0, done.output
    values = json.loads(done.stdout)
    assert values["overall"]["recall"]["mean"] == pytest.approx(1 / 3)
    assert values["hours"] == pytest.approx(1.5)
    assert "Onset error, median (s)" in done.stderr
    assert (folder / "out" / "report.html").is_file()


def test_wrong_use_is_told(folder):
    assert run("tune", folder / "scores").exit_code == 2
    assert run("score-events", folder / "events.csv").exit_code == 2
    (folder / "none.csv").write_text("video,label,start,end\n")
    with pytest.raises(HarError, match="no event"):
        run("tune", folder / "scores", "--reference", folder / "none.csv")


def test_labels_are_mapped_and_notes_reach_the_user(folder):
    truth = folder / "coded.csv"
    rows = (
        "".join(f"{stem}.mp4;Schl\xe4ge;10,0;14,0\r\n" for stem in "ab")
        + "c.mp4;Schl\xe4ge;10,0;\r\n"
    )
    truth.write_bytes(f"video;label;start_s;end_s\r\n{rows}".encode("cp1252"))
    for words in (
        ("tune", folder / "scores", "--reference", truth),
        ("score-events", folder / "events.csv", truth, "--scores", folder / "scores"),
    ):
        with pytest.raises(HarError) as error:
            run(*words)
        assert "The model's are: 'hit', 'playing'" in str(error.value)
        assert '--map "Schläge=hit"' in str(error.value)
    for words in (
        ("tune", folder / "scores", "--reference", truth, "--map", "Schläge=hit"),
        (
            "score-events",
            folder / "events.csv",
            truth,
            "--map",
            "Schläge=hit",
            "--out",
            folder / "o",
        ),
    ):
        done = run(*words)
        assert done.exit_code == 0, done.output
        assert "coded.csv is not UTF-8" in done.stderr
        assert "coded.csv has point events, without an end, in line 4" in done.stderr
