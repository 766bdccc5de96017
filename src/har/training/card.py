"""The card of a bundle: what it is for, what it learned from, how well it does, its limits."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from har.bundle import BundleInfo, load_info
from har.escaping import escape_markdown
from har.files import write_text
from har.metrics.intervals import warn_few_groups
from har.progress import format_count

CARD_FILE = "card.md"
AID = (
    "This model is an aid for people who review recordings or cameras. It is never an unattended "
    "alarm, and no decision about a person may rest on it alone."
)
_FIGURES = {"accuracy": "accuracy", "auc": "AUC", "macro_f1": "macro F1"}


def write_card(bundle_dir: Path) -> None:
    """Write ``card.md`` of what a bundle's contract says into its folder.

    Raises:
        BundleNotFoundError: There is no bundle.
    """
    write_text(bundle_dir / CARD_FILE, build_card(load_info(bundle_dir)))


def build_card(info: BundleInfo) -> str:
    """Return the card as Markdown."""
    parts = {
        f"Model card: {_list_labels(info)}": [AID],
        "What it recognizes": _list_contents(info),
        "What it learned from": _list_data(info),
        "How well it does": _list_figures(info),
        "Limits": _list_limits(info),
    }
    sections = [
        f"{'#' if place == 0 else '##'} {title}\n\n" + "\n".join(lines)
        for place, (title, lines) in enumerate(parts.items())
    ]
    return "\n\n".join(sections) + "\n"


def _list_labels(info: BundleInfo) -> str:
    return ", ".join(map(escape_markdown, info.labels))


def _list_contents(info: BundleInfo) -> list[str]:
    lines = [f"- Labels: {_list_labels(info)}"]
    if info.decode.background:
        lines.append(
            f"- Background, of which no event is made: {escape_markdown(info.decode.background)}"
        )
    for stream in info.streams:
        spec = stream.spec
        lines.append(
            f"- Stream {stream.name}: windows of {spec.window_s:g} s, {spec.rate_hz:g} steps a "
            f"second"
        )
    size = "x".join(map(str, info.pictures.size))
    lines.append(f"- Pictures: {size} pixels (height x width), {info.pictures.color}")
    return lines


def _list_data(info: BundleInfo) -> list[str]:
    kind = "synthetic clips alone" if info.synthetic_data else "filmed clips"
    held = (
        "a part of the clips was held back from training"
        if info.held_out
        else "no part of the clips was held back, so no honest figure can come from them"
    )
    lines = [f"- Data: {kind}; {held}", f"- Hash of the prepared clips: `{info.data_hash}`"]
    epochs = info.metrics.get("epochs", {})
    lines += [f"- Epochs kept: {', '.join(f'{k} {n}' for k, n in epochs.items())}"] * bool(epochs)
    recipe = {name: value for name, value in info.recipe.items() if not isinstance(value, dict)}
    plain = ", ".join(f"{name} {value}" for name, value in recipe.items() if value is not None)
    motion = info.motion
    if motion is not None:
        plain += f", backbone {motion.backbone}, temporal head {motion.temporal}"
    lines.append(f"- Recipe: {plain}; all of it is in `bundle.json`")
    lines.append(f"- Versions: {', '.join(f'{k} {v}' for k, v in info.versions.items())}")
    return lines


def _list_figures(info: BundleInfo) -> list[str]:
    found = info.metrics.get("crossval")
    if found:
        return _list_crossval(found)
    val = [value for name, value in info.metrics.items() if name.endswith(".val") and value]
    if val:
        figure = f"- Accuracy {val[-1]['accuracy']:.3f} on {val[-1]['n_clips']}"
        if info.synthetic_data:
            return [f"{figure} synthetic samples, which tells nothing of real people."]
        return [
            f"{figure} validation clips, which chose the epochs too: take it as a hint. "
            f"`har crossval` gives figures with intervals."
        ]
    return ["- Not measured. `har crossval` measures a recipe on clips that are held back in turn."]


def _list_crossval(found: Mapping[str, Any]) -> list[str]:
    protocol = (
        "groups (people, places) are never divided between training and test"
        if found["protocol"] == "grouped"
        else "clips of one group are in training and test, which flatters the figures"
    )
    lines = [
        f"Cross-validation of the recipe, not of this very model: {found['n_folds']} folds, "
        f"{format_count(found['n_seeds'], 'seed')}; {protocol}. "
        f"{format_count(found['n_clips'], 'clip')} of {found['n_groups']} "
        f"groups; 95 % intervals over groups.",
        "",
        "| figure | value | 95 % interval | chance level from file format |",
        "| --- | --- | --- | --- |",
    ]
    by_format = found.get("baseline") or found.get("floor") or {}  # "floor" before format 3
    for name, shown in _FIGURES.items():
        figure, chance = found[name], by_format.get(name)
        low_high = figure["ci95"]
        between = "-" if low_high is None else "{:.3f} to {:.3f}".format(*low_high)
        lines.append(f"| {shown} | {_three(figure['mean'])} | {between} | {_three(chance)} |")
    error = found["calibration"]["ece"]
    lines += ["", f"Probabilities are off by {error:.3f} on average (expected calibration error)."]
    return lines


def _list_limits(info: BundleInfo) -> list[str]:
    lines = [
        "- It knows the kinds of people, places and cameras that are in its clips; measure it on "
        "recordings of your own before you rely on it.",
        f"- It knows only its labels; whatever else happens is taken for one of them: "
        f"{_list_labels(info)}.",
    ]
    if info.synthetic_data:
        lines.append("- It has learned from synthetic people alone, whose figures say little.")
    if info.pose is not None:
        lines.append("- Where nobody's keypoints are confident enough, the pose stream abstains.")
    found = info.metrics.get("crossval")
    few = warn_few_groups(found["n_groups"]) if found else ""
    if few:
        lines.append(f"- {few}.")
    return lines


def _three(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
