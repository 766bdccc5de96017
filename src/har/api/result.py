# pyright: reportMissingTypeStubs=false
"""What is found in one video: it shows itself, saves itself, and can be cut into events again."""

from __future__ import annotations

import base64
import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from har.api.frames import build_events_frame, build_scores_frame
from har.api.html import MOST_ROWS, render_table
from har.api.settings import Rules, StrPath, build_decode, to_path
from har.config import DecodeConfig, Faces, OutputsConfig, PrivacyConfig, ShownPeople, Uncertain
from har.errors import ConfigError
from har.escaping import show_line
from har.events.decoder import decode_events, name_people
from har.interchange.events import EventTable
from har.interchange.results import build_result_table
from har.result import VideoResult
from har.types import Event, Scores, VideoInfo

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Plot:
    """A picture that shows itself in a notebook.

    Attributes:
        svg: The text of an SVG file.
    """

    svg: str = field(repr=False)

    def _repr_svg_(self) -> str:
        return self.svg


@dataclass(frozen=True, eq=False)
class Result(VideoResult):
    """What a model finds in one video; see also `har.result.VideoResult`, whose fields it has.

    Attributes:
        info: Size, rate and length of the video.
        duration_s: Length of what was looked at.
        label: The most probable one for the video as a whole, or `har.UNCERTAIN`.
        probs: Probability of every label for the video as a whole, in the model's order; all 0
            where it is uncertain.
        events: By onset.
        scores: Of every time step: `Scores` with (N, K) ``values`` and (N,) ``times_s``.
        note: What one should know, such as where the file is damaged; empty if nothing.
        decode: The rules that made the events.
        single_person_labels: Labels that are told from one body alone; their events have no target.
        error: Why the video could not be recognized; empty if it could. Then there are no events,
            no scores and no label.

    Example:
        >>> import har, numpy as np
        >>> frames = np.zeros((50, 180, 320), np.uint8)
        >>> result = har.load("fight").predict(frames, fps=25)
        >>> result.label, result.events, result.scores.values.shape
        ('noFight', (), (16, 2))
    """

    decode: DecodeConfig = field(kw_only=True)
    single_person_labels: tuple[str, ...] = field(default=(), kw_only=True)
    error: str = field(default="", kw_only=True)

    @classmethod
    def of(
        cls, found: VideoResult, decode: DecodeConfig, single_person_labels: Sequence[str] = ()
    ) -> Result:
        """Return what was found, with the rules that made its events."""
        fields = dataclasses.fields(VideoResult)
        values = {item.name: getattr(found, item.name) for item in fields}
        return cls(**values, decode=decode, single_person_labels=tuple(single_person_labels))

    @classmethod
    def failed(
        cls, path: Path, reason: str, labels: tuple[str, ...], decode: DecodeConfig
    ) -> Result:
        """Return what stands for a video that could not be recognized."""
        nothing = np.zeros((0, len(labels)), np.float32)
        return cls(
            info=VideoInfo(path, 0, 0, None, None, None, 0, ""),
            duration_s=0.0,
            label="",
            probs={},
            events=(),
            scores=Scores(labels, np.zeros(0), nothing, 0.0),
            n_windows=0,
            wall_s=0.0,
            note="",
            decode=decode,
            error=reason,
        )

    @property
    def uncertain_share(self) -> float:
        """Share of the time at which the model was uncertain, from 0 to 1."""
        return 0.0 if self.error else super().uncertain_share

    def to_events(self, annotator: str = "har") -> EventTable:
        """Return the events as a table of coded events, for `har.write_events`.

        Args:
            annotator: Name of the model, as the one who coded them.
        """
        return build_result_table([] if self.error else [self], annotator)

    def recut(self, decode: Rules | None = None, /, **changes: float) -> Result:
        """Cut the events again from the scores, with other rules; no network runs.

        Args:
            decode: Rules in the place of these, or a file of some that go over them.
            **changes: Single settings, such as ``onset``, ``offset``, ``min_s`` or ``merge_gap_s``;
                those of one label as ``**{"hit.onset": 0.7}``.

        Raises:
            ConfigError: A name is unknown or a value is out of its bounds.

        Example:
            >>> import har, numpy as np
            >>> result = har.load("fight").predict(np.zeros((50, 180, 320), np.uint8), fps=25)
            >>> result.recut(onset=0.0, offset=0.0).events[0].label
            'fight'
            >>> result.recut(**{"fight.onset": 0.9}).decode.rule("fight").onset
            0.9
        """
        rules = build_decode(self.decode, decode, changes)
        events = decode_events(self.scores, rules)
        named = name_people(events, self.scores, self.single_person_labels)
        return dataclasses.replace(self, events=named, decode=rules)

    def to_frame(self) -> pd.DataFrame:
        """Return the scores as a table: ``time_s`` and a column a label, one row a time step.

        Where people are known, ``confidence`` follows: how far their keypoints can be trusted.

        Raises:
            MissingDependencyError: pandas is not installed.
        """
        return build_scores_frame(self.scores)

    def events_to_frame(self) -> pd.DataFrame:
        """Return the events as a table with the columns of ``events.csv``, one row an event.

        ``subject`` and ``target`` are the numbers of people, missing where they are not known.

        Raises:
            MissingDependencyError: pandas is not installed.
        """
        return build_events_frame(self.events, str(self.info.path))

    def plot(self, path: StrPath | None = None) -> Plot:
        """Draw the timeline: the score of each label over time, and its events.

        Args:
            path: A ``.svg`` file to write as well; missing folders are made.

        Returns:
            A picture that shows itself in a notebook; ``plot().svg`` is its text.

        Raises:
            ConfigError: The file has another ending.
            OutputError: The file cannot be written.
            VideoError: There is nothing to draw, for the video could not be recognized.
        """
        from har.render.timeline import draw_timeline

        self._need_scores()
        if path is not None and to_path(path).suffix.lower() != ".svg":
            raise ConfigError(
                f"Expected the path of a picture that ends in .svg, received path={str(path)!r}"
            )
        drawn = draw_timeline(self, self.decode)
        if path is not None:
            drawn.write(to_path(path))
        return Plot(drawn.to_file())

    def save(
        self,
        out: StrPath,
        *,
        annotate: bool = False,
        thumbnails: bool = False,
        faces: Faces = "keep",
        people: ShownPeople = "keep",
        uncertain: Uncertain = "keep",
        guard: bool = True,
    ) -> Path:
        """Write the files that `har predict` writes of a video, and bring those of all up to date.

        Args:
            out: The folder; it is made if need be. What is there of other videos stays.
            annotate: Write an annotated video, too; the video is read again.
            thumbnails: Write a picture of each event, too.
            faces: As of `har.predict`, like ``people``, ``uncertain`` and ``guard``.
            people: What is shown in their place.
            uncertain: What is hidden where nobody was found.
            guard: Of tables.

        Returns:
            What the names of the video's files begin with: the folder and a stem.

        Raises:
            LockedError: A run writes to the folder.
            OutputError: A file cannot be written.
            VideoError: The video could not be recognized, or not be read again.
        """
        from har.inference.cache import save_result, start_result
        from har.locks import locking
        from har.reports import results

        self._need_scores()
        folder, path = to_path(out), self.info.path
        has_none = not self.info.has_pictures or not path.is_file()
        if (annotate or thumbnails) and has_none:
            from har.errors import VideoNotFoundError

            raise VideoNotFoundError(
                f"There is no video {path} to annotate or to take pictures from: a result of an "
                "array of frames, or of keypoints, has none. Save it without, or predict the file"
            )
        with locking(folder):
            (stem,) = results.compute_output_stems([path], results.find_taken_stems(folder))
            base, found = folder / stem, self._to_video_result()
            start_result(base, found)
            privacy = PrivacyConfig(faces, people, uncertain)
            wants = OutputsConfig(annotate, thumbnails, privacy=privacy, guard=guard)
            shown = found
            if privacy.is_on and (annotate or thumbnails):
                from har.inference.people import find_people_in

                shown = replace(found, people=find_people_in(path))
            results.write_video_outputs(base, shown, self.decode, wants)
            save_result(base, "", found)
            results.write_folder_outputs(folder, [found], {path: stem}, self.decode, guard)
        return base

    def to_json(self) -> dict[str, Any]:
        """Return plain values without the scores; of a video that failed, path and reason."""
        if self.error:
            return {"video": str(self.info.path), "error": self.error}
        return super().to_json()

    def _to_video_result(self) -> VideoResult:
        fields = dataclasses.fields(VideoResult)
        return VideoResult(**{item.name: getattr(self, item.name) for item in fields})

    def _need_scores(self) -> None:
        if self.error:
            from har.errors import VideoError

            raise VideoError(f"Nothing is known of {self.info.path}: {self.error}")

    def __repr__(self) -> str:
        """Return it in a line."""
        name = self.info.path.name
        if self.error:
            return show_line(f"<Result of {name}: {self.error}>")
        n = len(self.events)
        return show_line(
            f"<Result of {name}: {self.label} {self.prob:.0%}, {n} event{'s' * (n != 1)} in "
            f"{self.duration_s:.1f} s>"
        )

    def _repr_html_(self) -> str:
        """Return timeline and events for a notebook."""
        if self.error:
            return f"<p><b>{escape(self.info.path.name)}</b>: {escape(self.error)}</p>"
        data = base64.b64encode(self.plot().svg.encode()).decode("ascii")
        parts = [f'<img alt="Scores and events over time" src="data:image/svg+xml;base64,{data}">']
        parts += [_render_events(self.events)] if self.events else []
        parts += [f"<p>{escape(self.note)}</p>"] if self.note else []
        return f'<div style="max-width: 60rem">{"".join(parts)}</div>'


def _render_events(events: Sequence[Event]) -> str:
    rows = [
        [
            event.label,
            f"{event.onset_s:.2f} s",
            f"{event.offset_s:.2f} s",
            f"{event.score:.2f}",
            "→".join(str(n) for n in (event.subject, event.target) if n),
        ]
        for event in events
    ]
    more = ["events_to_frame() has all"] if len(events) > MOST_ROWS else []
    return render_table(["label", "from", "to", "score", "who"], rows, more)


class Results(list[Result]):
    """The results of several videos, which show themselves as a table in a notebook."""

    def _repr_html_(self) -> str:
        return render_results(self)


def render_results(results: Sequence[Result]) -> str:
    """Return a table of results for a notebook, a row each."""
    rows = [
        [
            result.info.path,
            "" if result.error else f"{result.duration_s:.1f} s",
            "" if result.error else f"{result.label} {result.prob:.0%}",
            "" if result.error else len(result.events),
            result.error or result.note,
        ]
        for result in results
    ]
    return render_table(["video", "length", "label", "events", "note"], rows)
