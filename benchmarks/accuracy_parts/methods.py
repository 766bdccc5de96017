"""The methods side by side, cheap ones first."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from accuracy_parts.notebook import NotebookFolds, build_convlstm, build_lrcn
from accuracy_parts.probe import ProbeFolds
from accuracy_parts.rgb_gru import RgbGruFolds
from har.config import RECIPES, TrainConfig, update_config
from har.dataset.store import Store
from har.training.crossval import Learner, build_learner
from har.training.run import Run
from har.types import Color, Streams


@dataclass(frozen=True)
class Method:
    """One row of a table.

    Attributes:
        name: As the command line calls it.
        about: What a reader is told.
        streams: What it looks at; ``rgb`` for color frames.
        color: Of the store it needs.
        build: Gives the learner; what all folds share is computed there.
    """

    name: str
    about: str
    streams: str
    color: Color
    build: Callable[[Store, Run], Learner]


def _har(recipe: str, streams: Streams) -> Method:
    config = update_config(TrainConfig(streams=streams), RECIPES[recipe])
    about = f"har, recipe {recipe}"
    name = f"{recipe}-{streams}"
    return Method(
        name, about, streams, "gray", lambda store, run: build_learner(config, store, run)
    )


_WHOLE_PICTURE = update_config(TrainConfig(), {"input": {"motion_crop": 1}})

METHODS = (
    Method(
        "probe",
        "frozen motion features, logistic regression on their mean",
        "motion",
        "gray",
        lambda store, run: ProbeFolds(_WHOLE_PICTURE, store, run),
    ),
    Method(
        "rgb-gru",
        "frozen CNN on color frames, two GRUs",
        "rgb",
        "rgb",
        lambda store, run: RgbGruFolds(store),
    ),
    _har("frozen", "motion"),
    Method(
        "lrcn",
        "the notebook's LRCN",
        "rgb",
        "rgb",
        lambda store, run: NotebookFolds(store, build_lrcn, epochs=70, patience=15),
    ),
    Method(
        "convlstm",
        "the notebook's ConvLSTM",
        "rgb",
        "rgb",
        lambda store, run: NotebookFolds(store, build_convlstm, epochs=50, patience=10),
    ),
    Method(
        "pose",
        "har, keypoints alone",
        "pose",
        "gray",
        lambda store, run: build_learner(TrainConfig(streams="pose"), store, run),
    ),
    _har("frozen", "both"),
    _har("full", "motion"),
    _har("full", "both"),
)
NAMES = tuple(method.name for method in METHODS)
