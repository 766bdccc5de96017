"""A small store of synthetic clips that is learnt in seconds: a bar that moves or rests."""

from functools import partial
from pathlib import Path

import numpy as np
from videos import make_video

from har.config import PrepareConfig
from har.dataset.index import StoredClip
from har.dataset.prepare import prepare
from har.dataset.store import Store

LABELS = ("moves", "rests")
SIZE = (64, 96)


def draw_bar(index: int, label: str, group: int) -> np.ndarray:
    """Return picture ``index`` of a clip: (H, W, 3) uint8."""
    picture = np.full((*SIZE, 3), 60 + 10 * group, np.uint8)
    step = index if label == "moves" else 0
    left = (7 * group + 4 * step) % (SIZE[1] - 16)
    picture[16:48, left : left + 12] = 220
    return picture


def make_clips(folder: Path, n_groups: int = 6, n_frames: int = 25) -> Path:
    """Write two clips of each label for every group; return the manifest."""
    rows = ["path,label,group,origin"]
    for group in range(n_groups):
        for label in LABELS:
            for take in range(2):
                path = folder / label / f"g{group}_{take}.mp4"
                times_s = [index / 25 for index in range(n_frames + take)]
                make_video(path, times_s, SIZE, paint=partial(draw_bar, label=label, group=group))
                rows.append(f"{label}/{path.name},{label},g{group},made")
    manifest = folder / "manifest.csv"
    manifest.write_text("\n".join(rows) + "\n")
    return manifest


def make_store(folder: Path, **options: int) -> Store:
    """Make the clips and prepare them, gray."""
    config = PrepareConfig(size=SIZE, n_folds=3, jobs=1)
    prepare(make_clips(folder / "clips", **options), folder / "store", config)
    return Store.load(folder / "store")


def make_stored_clip(name: str, label: str, group: str) -> StoredClip:
    """Return a line of an index, of a clip that is nowhere."""
    return StoredClip(
        clip_id=name,
        path=Path(name),
        label=label,
        group=group,
        n_frames=50,
        fps=25.0,
        duration_s=2.0,
        width=96,
        height=64,
        damaged_s=None,
        scene_hashes=(),
        hash="0" * 64,
        video_bytes=1,
        video_mtime_ns=0,
        video_hash="0" * 64,
    )
