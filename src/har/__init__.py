"""Human action recognition in video: a CNN for each frame and an LSTM over time.

    import har

    model = har.load("fight")
    result = model.predict("recording.mp4")

Importing this package loads nothing else: a name is loaded with its part when it is used.
"""

from __future__ import annotations

import importlib
import os
from typing import TYPE_CHECKING

from har.version import __version__ as __version__

if TYPE_CHECKING:
    from har.api.agreement import agree as agree
    from har.api.agreement import compare as compare
    from har.api.clips import PreparedStore as PreparedStore
    from har.api.clips import Synthetic as Synthetic
    from har.api.clips import prepare as prepare
    from har.api.clips import synthesize as synthesize
    from har.api.demo import Demo as Demo
    from har.api.demo import run_demo as run_demo
    from har.api.events import Recuts as Recuts
    from har.api.events import Tuned as Tuned
    from har.api.events import recut as recut
    from har.api.events import score_events as score_events
    from har.api.events import tune as tune
    from har.api.forget import forget as forget
    from har.api.interchange import Converted as Converted
    from har.api.interchange import convert as convert
    from har.api.interchange import read_events as read_events
    from har.api.interchange import write_events as write_events
    from har.api.learning import Learned as Learned
    from har.api.learning import learn as learn
    from har.api.live import watch as watch
    from har.api.model import Model as Model
    from har.api.model import load as load
    from har.api.poses import Poses as Poses
    from har.api.poses import read_poses as read_poses
    from har.api.record import record as record
    from har.api.result import Plot as Plot
    from har.api.result import Result as Result
    from har.api.review import open_review as open_review
    from har.api.serve import serve_predictions as serve_predictions
    from har.api.sharing import describe_model as describe_model
    from har.api.sharing import pack_model as pack_model
    from har.api.sharing import push_model as push_model
    from har.api.sharing import unpack_model as unpack_model
    from har.api.sharing import verify_model as verify_model
    from har.api.stream import StreamUpdate as StreamUpdate
    from har.api.training import crossvalidate as crossvalidate
    from har.api.training import export_model as export_model
    from har.api.training import train as train
    from har.api.videos import Predictions as Predictions
    from har.api.videos import predict as predict
    from har.bundle import BundleInfo as BundleInfo
    from har.config import DecodeConfig as DecodeConfig
    from har.config import LabelRule as LabelRule
    from har.config import TrainConfig as TrainConfig
    from har.config import WatchSettings as WatchSettings
    from har.dataset.store import Store as Store
    from har.errors import BundleError as BundleError
    from har.errors import ConfigError as ConfigError
    from har.errors import DatasetError as DatasetError
    from har.errors import HarError as HarError
    from har.errors import InterchangeError as InterchangeError
    from har.errors import MissingDependencyError as MissingDependencyError
    from har.errors import OutputError as OutputError
    from har.errors import PoseFileError as PoseFileError
    from har.errors import VideoError as VideoError
    from har.interchange.events import CodedEvent as CodedEvent
    from har.interchange.events import EventTable as EventTable
    from har.interchange.events import Media as Media
    from har.live.messages import Alert as Alert
    from har.live.messages import CameraState as CameraState
    from har.live.messages import LiveEvent as LiveEvent
    from har.metrics.agreement import Agreement as Agreement
    from har.metrics.comparison import Comparison as Comparison
    from har.types import UNCERTAIN as UNCERTAIN
    from har.types import Event as Event
    from har.types import People as People
    from har.types import Scores as Scores
    from har.types import VideoInfo as VideoInfo

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # ONNX Runtime sends usage to its maker

_MODULES = {
    "har.api.agreement": ("agree", "compare"),
    "har.api.clips": ("PreparedStore", "Synthetic", "prepare", "synthesize"),
    "har.api.demo": ("Demo", "run_demo"),
    "har.api.events": ("Recuts", "Tuned", "recut", "score_events", "tune"),
    "har.api.forget": ("forget",),
    "har.api.interchange": ("Converted", "convert", "read_events", "write_events"),
    "har.api.learning": ("Learned", "learn"),
    "har.api.live": ("watch",),
    "har.api.model": ("Model", "load"),
    "har.api.poses": ("Poses", "read_poses"),
    "har.api.record": ("record",),
    "har.api.result": ("Plot", "Result"),
    "har.api.review": ("open_review",),
    "har.api.serve": ("serve_predictions",),
    "har.api.sharing": (
        "describe_model",
        "pack_model",
        "push_model",
        "unpack_model",
        "verify_model",
    ),
    "har.api.stream": ("StreamUpdate",),
    "har.api.training": ("crossvalidate", "export_model", "train"),
    "har.api.videos": ("Predictions", "predict"),
    "har.bundle": ("BundleInfo",),
    "har.config": ("DecodeConfig", "LabelRule", "TrainConfig", "WatchSettings"),
    "har.dataset.store": ("Store",),
    "har.errors": (
        "BundleError",
        "ConfigError",
        "DatasetError",
        "HarError",
        "InterchangeError",
        "MissingDependencyError",
        "OutputError",
        "PoseFileError",
        "VideoError",
    ),
    "har.interchange.events": ("CodedEvent", "EventTable", "Media"),
    "har.live.messages": ("Alert", "CameraState", "LiveEvent"),
    "har.metrics.agreement": ("Agreement",),
    "har.metrics.comparison": ("Comparison",),
    "har.types": ("UNCERTAIN", "Event", "People", "Scores", "VideoInfo"),
}
"""Where each public name is."""

_HOMES = {name: module for module, names in _MODULES.items() for name in names}

__all__ = [*_HOMES, "__version__"]  # pyright: ignore[reportUnsupportedDunderAll]


def __dir__() -> list[str]:
    return sorted(__all__)


if not TYPE_CHECKING:  # a checker sees the imports above, and that there are no other names

    def __getattr__(name: str) -> object:
        if name not in _HOMES:
            raise AttributeError(f"module 'har' has no attribute {name!r}")
        value = getattr(importlib.import_module(_HOMES[name]), name)
        globals()[name] = value
        return value
