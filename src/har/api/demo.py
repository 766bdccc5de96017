"""All of it on what is drawn on the spot."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from har.api.settings import StrPath, to_path, training
from har.progress import Say, say_on_stderr

if TYPE_CHECKING:
    from har.demo import DemoResult, Recognized


@dataclass(frozen=True)
class Demo:
    """What the demo found and measured, all on synthetic recordings and clips.

    Attributes:
        first_look: What a model that comes with har finds in a recording.
        learnt: What a model measures and finds that was trained on the spot; None after a quick
            look.
    """

    first_look: Recognized
    learnt: DemoResult | None

    def to_json(self) -> dict[str, Any]:
        """Return the fields that `har demo --json` prints."""
        learnt = {} if self.learnt is None else self.learnt.to_json()
        return {"synthetic_data": True, "first_look": self.first_look.to_json(), **learnt}


def run_demo(
    folder: StrPath = "demo",
    *,
    quick: bool = False,
    say: Say = say_on_stderr,
    on_first_look: Callable[[Recognized], None] | None = None,
    progress: bool = True,
) -> Demo:
    """See what it does within a minute, then try all of it on synthetic clips.

    First a shipped model looks at a short recording that is drawn now. Then clips are made, a model
    is trained and measured on them, and it recognizes another recording.

    Args:
        folder: Gets everything; a second run in it only does what is missing.
        quick: Stop after the first look, which trains nothing.
        say: Takes each line that tells what is coming; they go to standard error if not given.
        on_first_look: Is called between the two.
        progress: Show bars.

    Raises:
        MissingDependencyError: The extra ``train`` is not installed, and ``quick`` is not set.
        OutputError: Files cannot be written.

    Example:
        >>> import har
        >>> har.run_demo("demo", quick=True).first_look.paths["timeline"]  # doctest: +SKIP
        PosixPath('demo/results/first_look.timeline.svg')
    """
    from har.demo import take_first_look

    first = take_first_look(to_path(folder), say)
    if on_first_look is not None:
        on_first_look(first)
    if quick:
        return Demo(first, None)
    with training():
        from har.demo import learn_from_clips

        return Demo(first, learn_from_clips(to_path(folder), say, progress))
