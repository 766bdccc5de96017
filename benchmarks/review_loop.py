"""What thirty verdicts teach a model: the least certain items, or random ones?

    python benchmarks/review_loop.py MANIFEST [--items 30] [--repeats 5] [--streams motion]

A model learns from half of the groups. A quarter of them is under review: the model scores their
clips, and the truth stands for the person who decides on so many items of the queue, in an order of
`har review`. The model learns again, from its half and these clips. All are judged on
the last quarter, which none has learned from. Groups are drawn anew in each repeat; intervals are
over groups. Heads alone are trained (recipe `frozen`). Every clip of the quarter under review is an
item, also where a model would have raised no event. Prints a table.
"""

from __future__ import annotations

import random
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

import har
from common_parts.show import build_parser, show
from har.api.training import build_recipe
from har.config import find_background
from har.dataset.store import Store
from har.metrics.intervals import bootstrap_figures
from har.review.queue import Order, build_queue
from har.review.store import FoundEvent, Recording

ORDERS: tuple[Order, ...] = ("uncertain", "random")


@dataclass
class Judged:
    """Clips of the last quarters of all repeats: which models were right."""

    groups: list[str] = field(default_factory=list)
    right: dict[str, list[bool]] = field(default_factory=dict)

    def add(self, name: str, right: np.ndarray) -> None:
        """Add what one model said."""
        self.right.setdefault(name, []).extend(right.tolist())


def draw_parts(store: Store, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the clips of half of the groups, of a quarter, and of the last quarter."""
    names = sorted({clip.group for clip in store.clips})
    random.Random(seed).shuffle(names)  # noqa: S311
    half, three = len(names) // 2, len(names) * 3 // 4
    groups = np.array([names.index(clip.group) for clip in store.clips])
    parts = (groups < half, (groups >= half) & (groups < three), groups >= three)
    first, second, third = (np.flatnonzero(part) for part in parts)
    return first, second, third


def choose(
    clips: np.ndarray, scores: np.ndarray, order: Order, n_items: int, seed: int
) -> list[int]:
    """Return the clips that come first in the queue of `har review`."""
    recordings = [Recording(int(clip), str(clip), 1.0) for clip in clips]
    events = [
        FoundEvent(int(clip), int(clip), "model", "event", 0.0, 1.0, float(score))
        for clip, score in zip(clips, scores, strict=True)
    ]
    queue = build_queue(recordings, events, [], order, seed=seed)
    return [item.event.recording for item in queue[:n_items]]


def measure(
    store: Store,
    learn: Callable[[np.ndarray, np.ndarray, int], np.ndarray],
    n_items: int,
    n_repeats: int,
) -> Judged:
    """Return who was right, for all repeats."""
    truth = np.array([store.labels.index(clip.label) for clip in store.clips])
    background = store.labels.index(find_background(store.labels) or store.labels[0])
    judged = Judged()
    for seed in range(n_repeats):
        base, pool, rest = draw_parts(store, seed)
        judged.groups += [store.clips[clip].group for clip in rest]
        probs = learn(base, np.concatenate([pool, rest]), seed)
        judged.add("before", probs[len(pool) :].argmax(axis=1) == truth[rest])
        scores = 1.0 - probs[: len(pool), background]
        chosen: dict[str, Sequence[int]] = {
            order: choose(pool, scores, order, n_items, seed) for order in ORDERS
        }
        for name, extra in {**chosen, "the whole quarter": pool.tolist()}.items():
            more = np.concatenate([base, np.array(extra, dtype=np.int64)])
            judged.add(name, learn(more, rest, seed).argmax(axis=1) == truth[rest])
    return judged


def describe(judged: Judged) -> dict[str, object]:
    """Return accuracies, and differences on the same clips, with intervals over groups."""
    right = {name: np.array(values, dtype=np.float64) for name, values in judged.right.items()}
    pairs = [(name, "before") for name in right if name != "before"] + [ORDERS]
    columns = {f"accuracy, {name}": values for name, values in right.items()}
    columns |= {f"{one} less {other}": right[one] - right[other] for one, other in pairs}
    found = bootstrap_figures(
        lambda weights: np.array([weights @ v / weights.sum() for v in columns.values()]),
        judged.groups,
        "clips",
        "",
    )
    return {name: item.to_json() for name, item in zip(columns, found, strict=True)}


def main() -> None:
    """Prepare, repeat, print."""
    parser = build_parser(__doc__ or "")
    parser.add_argument("manifest", type=Path, help="CSV of clips: path,label,group")
    parser.add_argument("--items", type=int, default=30)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--streams", choices=["motion", "pose", "both"], default="motion")
    options = parser.parse_args()
    from har.training.crossval import build_learner
    from har.training.run import Run

    with tempfile.TemporaryDirectory() as folder:
        store = har.prepare(options.manifest, Path(folder) / "store")
        config = replace(build_recipe("frozen", None, 0), streams=options.streams)
        run = Run(Path(folder) / "bundle", Path(folder) / "results", progress=False)
        learner = build_learner(config, store, run)
        judged = measure(store, learner.compute_probs, options.items, options.repeats)
    print("\n".join(show(describe(judged))))


if __name__ == "__main__":
    main()
