"""The final model learns from every clip, says so, and carries what held-back clips have shown."""

import shutil
from dataclasses import replace

import pytest
from click.testing import CliRunner

from har.bundle import load_info, save_info
from har.cli.train import train
from har.config import RECIPES, CrossvalConfig, TrainConfig, update_config
from har.inference.clips import evaluate_bundle
from har.inference.model import Recognizer
from har.training.card import AID, CARD_FILE
from har.training.final import train_final
from har.training.run import Run
from har.training.stages import train_all

pytestmark = pytest.mark.slow

QUICK = update_config(
    update_config(TrainConfig(), RECIPES["tiny"]),
    {
        "input": {"n_steps": 6},
        "cnn": {"steps_per_clip": 2, "fit": {"epochs": 4}},
        "temporal": {"units": 4, "recent_steps": 3, "fit": {"epochs": 5}},
        "system": {"fit": {"epochs": 0}},
    },
)
HEADS = update_config(QUICK, {"cnn": {"fit": {"epochs": 0}}})
FOLDS = CrossvalConfig(n_folds=2, n_seeds=1)


def make_run(folder):
    said = []
    return Run(folder / "bundle", folder / "results", None, False, said.append), said


@pytest.fixture(scope="module")
def final(bar_store, tmp_path_factory):
    run, said = make_run(tmp_path_factory.mktemp("final"))
    return train_final(HEADS, bar_store, run, crossval=FOLDS), run, said


def test_it_learns_from_every_clip_and_carries_the_figures_of_the_folds(final, bar_store):
    info, run, said = final
    assert not info.held_out
    assert load_info(run.bundle_dir) == info
    assert f"final: learns from all {len(bar_store.clips)} clips, none is held back" in said
    assert any(f"{len(bar_store.clips)} clips to learn from, 0 to validate" in s for s in said)
    figures = info.metrics["crossval"]
    assert (figures["protocol"], figures["n_clips"]) == ("grouped", len(bar_store.clips))
    assert info.temperature == pytest.approx(figures["calibration"]["temperature"], abs=1e-4)
    assert info.metrics["epochs"]["lstm"] == 5  # all, as in the folds
    Recognizer(run.bundle_dir)


def test_no_honest_figure_comes_from_the_same_store(final, bar_store):
    _, run, _ = final
    result = evaluate_bundle(run.bundle_dir, bar_store, "test")
    assert result.seen
    assert not result.to_json()["held_out"]
    assert "learned from every clip of its store" in result.warning
    fewer = replace(bar_store, clips=bar_store.clips[:-1])
    assert "learned from" in evaluate_bundle(run.bundle_dir, fewer, "all").warning
    clips = tuple(
        replace(clip, video_hash=f"{k:064x}", video_bytes=clip.video_bytes + 1 + k)
        for k, clip in enumerate(bar_store.clips)
    )
    assert evaluate_bundle(run.bundle_dir, replace(bar_store, clips=clips[1:]), "all").warning == ""


def test_the_card_says_what_it_is_for_and_how_well_it_does(final):
    info, run, _ = final
    card = (run.bundle_dir / CARD_FILE).read_text()
    figure = info.metrics["crossval"]["accuracy"]
    low, high = figure["ci95"]
    for text in (
        AID,
        "moves, rests",
        info.data_hash,
        "no part of the clips was held back",
        f"| accuracy | {figure['mean']:.3f} | {low:.3f} to {high:.3f} |",
        "2 folds, 1 seed",
        "Only 6 groups",
        "synthetic people alone",
    ):
        assert text in card, text


def test_what_the_bundle_of_the_same_recipe_has_found_is_taken_over(final, bar_store, tmp_path):
    info, source, _ = final
    run, said = make_run(tmp_path)
    shutil.copytree(source.bundle_dir, run.bundle_dir)
    tuned = replace(info, decode=replace(info.decode, onset=0.7), temperature=1.5)
    save_info(run.bundle_dir, tuned)
    again = train_final(HEADS, bar_store, run)
    assert again.decode.onset == 0.7
    assert (again.temperature, again.metrics["crossval"]) == (1.5, info.metrics["crossval"])
    assert any("takes over" in text for text in said)
    assert not (run.results_dir / "crossval").exists()


def test_epochs_are_those_of_the_run_with_validation(final, bar_store, tmp_path):
    run, _ = make_run(tmp_path)
    checked = train_all(QUICK, bar_store, run)
    epochs = {"cnn": 2, "lstm": 3}
    metrics = {"epochs": epochs, "crossval": final[0].metrics["crossval"]}
    assert set(checked.metrics["epochs"]) == set(epochs)
    save_info(run.bundle_dir, replace(checked, metrics=metrics))
    info = train_final(QUICK, bar_store, run)
    for stage, n_epochs in epochs.items():
        log = (run.results_dir / "final" / stage / "log.csv").read_text().splitlines()
        assert len(log) == 1 + n_epochs
        assert "val_loss" not in log[0]
    assert info.metrics["epochs"] == epochs


def test_without_enough_groups_it_says_what_is_missing(bar_store, tmp_path):
    groups = [clip for clip in bar_store.clips if clip.group == "g0"]
    few = replace(bar_store, clips=tuple(groups))
    run, said = make_run(tmp_path)
    info = train_final(HEADS, few, run)
    assert "crossval" not in info.metrics
    assert any("no cross-validation, so the card has no figures" in text for text in said)
    assert "Not measured" in (run.bundle_dir / CARD_FILE).read_text()


def test_the_option_goes_with_all_stages_only():
    done = CliRunner().invoke(train, ["cnn", "--final"])
    assert done.exit_code == 2
    assert "--final goes with all" in done.output
