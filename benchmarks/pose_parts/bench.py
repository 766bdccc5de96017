"""What all parts share: the clips, the bundle, and the folder that is written to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from half_real.sequences import RealClip
from har.bundle import BUNDLE_FILE, load_info
from har.config import PrepareConfig
from har.dataset.prepare import prepare
from har.dataset.store import Store
from har.files import compute_file_hash
from har.inference.cache import KeypointCache
from har.inference.detector import compute_detector_hash
from har.inference.model import Recognizer
from har.pose.tracking import track_people
from har.training.run import Run, compute_fingerprint

UT, SURVFIGHT = "ut_interaction_set1", "survfight"
HITS = ("fight", "kick", "punch", "push")
"""Labels of clips in which someone hits another; in all others nobody hits anyone."""
CALM = ("handshake", "hug", "point", "noFight")
LOOKED_AT = ("seq01", "seq02", "seq03", "seq04")
"""Sequences that were looked at while the generator of synthetic motion was shaped."""


@dataclass(frozen=True)
class Bench:
    """What is measured, and where the results go.

    Attributes:
        data_dir: Has a folder for each set of clips, with a ``manifest.csv``.
        out: Results, prepared stores and the state of long parts.
        bundle: Folder of the three-class bundle.
    """

    data_dir: Path
    out: Path
    bundle: Path

    @property
    def bundle_dir(self) -> Path:
        """The bundle's folder."""
        load_info(self.bundle)
        return self.bundle

    @property
    def bundle_hash(self) -> str:
        """Name the bundle: its contract holds the hashes of its graphs."""
        return compute_file_hash(self.bundle_dir / BUNDLE_FILE)

    def load_recognizer(self) -> Recognizer:
        """Open the bundle."""
        return Recognizer(self.bundle_dir)

    def load_store(self, name: str) -> Store:
        """Return the prepared clips of one set; they are prepared once."""
        manifest, place = self.data_dir / name / "manifest.csv", self.out / "stores" / name
        return prepare(manifest, place, PrepareConfig(), progress=True).store

    def make_run(self, part: str, source: Path | None = None) -> Run:
        """Return where a part trains and keeps what it has done so far."""
        folder = self.out / "work" / part
        return Run(folder / "bundle", folder / "crossval", source)

    def fingerprint_stores(self) -> str:
        """Name the clips of both sets and the network that sees people in them."""
        hashes = [self.load_store(name).data_hash for name in (UT, SURVFIGHT)]
        return compute_fingerprint(compute_detector_hash(), *hashes)


def load_real_clips(store: Store, clips: Sequence[int], rate_hz: float) -> list[RealClip]:
    """Return some clips of a store with their people followed."""
    chosen = [store.clips[clip] for clip in clips]
    found = KeypointCache(store, rate_hz, progress=True).load([clip.clip_id for clip in chosen])
    return [
        RealClip(clip.clip_id, clip.label, clip.group, track_people(detections, rate_hz))
        for clip, detections in zip(chosen, found, strict=True)
    ]
