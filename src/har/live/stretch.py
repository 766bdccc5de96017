"""Recognition of one stretch of a camera's timeline: features in, scores and events out."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field, replace

import numpy as np

from har.config import DecodeConfig, PredictConfig
from har.events.decode import name_people
from har.events.online import OnlineDecoder
from har.inference.fusion import get_rate_hz
from har.inference.online import OnlineFusion
from har.inference.stream import FeatureWindows, Findings, WindowLogits
from har.live.mailbox import Step
from har.runtime.people import PeopleStream
from har.runtime.recognizer import Recognizer
from har.types import Event, People, Scores

_NAMED_FROM_S = 600.0
"""An event that is longer names the people of its last ten minutes."""


@dataclass(frozen=True)
class Update:
    """What became known of a stretch, on the camera's timeline.

    Attributes:
        scores: Of the steps that are final now, often none.
        newest: (K,) float32: what the newest windows say.
        opened: Events that are told of for the first time and go on.
        final: Events that nothing to come can change.
        arrived_s: Arrivals of the frames that are looked at for the first time.
    """

    scores: Scores
    newest: np.ndarray
    opened: list[Event] = field(default_factory=list)
    final: list[Event] = field(default_factory=list)
    arrived_s: list[float] = field(default_factory=list)


class LiveStretch:
    """Takes what the networks say of the steps of one stretch.

    Once `finish` was called it has ended, and its scores and events are those that a recording of
    the same frames has.
    """

    def __init__(
        self, recognizer: Recognizer, config: PredictConfig, decode: DecodeConfig, begun_s: float
    ) -> None:
        """Starts an empty stretch.

        Args:
            recognizer: The loaded bundle; all stretches share it.
            config: How windows overlap.
            decode: How scores become events.
            begun_s: Where its time 0 is on the camera's timeline.
        """
        info = recognizer.info
        self._recognizer, self._begun_s = recognizer, begun_s
        self._windows = FeatureWindows(info.spec.n_steps, config.hop(info.spec.n_steps))
        self._people = None
        if recognizer.has_pose:
            hop = config.hop(recognizer.pose_spec.n_steps)
            self._people = PeopleStream(recognizer, hop)
        self._fusion = OnlineFusion(recognizer)
        self._no_scores = Scores(
            info.labels,
            np.zeros(0),
            np.zeros((0, len(info.labels)), np.float32),
            1 / get_rate_hz(recognizer),
        )
        self._decoder = OnlineDecoder(info.labels, decode)
        self._found = Findings()
        self._rows: deque[Scores] = deque()
        self._told: set[tuple[str, float]] = set()
        self._waiting_s: list[float] = []
        self._has_windows = False

    def push_feature(self, feature: np.ndarray, step: Step) -> list[tuple[int, np.ndarray]]:
        """Takes the (D,) features of steps; gives windows for the temporal head."""
        self._note_arrival(step)
        pushed = (self._windows.push(feature) for _ in range(step.stack.n_steps))
        return [window for window in pushed if window is not None]

    def flush_features(self) -> list[tuple[int, np.ndarray]]:
        """Gives the last window for the temporal head, if there is one."""
        last = self._windows.flush()
        return [] if last is None else [last]

    def push_logits(self, window: WindowLogits) -> None:
        """Takes what the temporal head said of a window, in the order in which they were given."""
        self._found.motion.append(window)

    def push_people(self, points: np.ndarray, scores: np.ndarray, step: Step) -> None:
        """Takes the people that were seen at steps, as `PoseDetector.detect` gives them."""
        if self._people is None:
            return
        self._note_arrival(step)
        for _ in range(step.stack.n_steps):
            window = self._people.push(points, scores)
            self._found.people += [window] if window else []

    def advance(self) -> Update | None:
        """Gives what is known with all that was pushed; None while no window is complete."""
        found, self._found = self._found, Findings()
        if not found.motion and not found.people:
            return None
        return self._tell(self._fusion.push(found), is_over=False)

    def finish(self, span_s: float) -> Update:
        """Ends the stretch, which is ``span_s`` long, and gives what was still open."""
        found, self._found = self._found, Findings()
        last = self._people.flush() if self._people else None
        found.people += [last] if last else []
        return self._tell(self._fusion.flush(found, span_s), is_over=True)

    def _note_arrival(self, step: Step) -> None:
        """Remembers that frames wait for the window that looks at them, once there are windows."""
        if not self._has_windows:
            self._waiting_s.clear()
        self._waiting_s.append(step.arrived_s)

    def _tell(self, scores: Scores | None, is_over: bool) -> Update:
        self._has_windows = True
        final: list[Event] = []
        if scores is not None:
            self._remember(scores)
            final += self._decoder.push(scores.times_s, scores.values, scores.step_s)
        final += self._decoder.flush() if is_over else []
        going_on = [] if is_over else self._decoder.open
        opened = [event for event in going_on if (event.label, event.onset_s) not in self._told]
        self._told = {(event.label, event.onset_s) for event in going_on}
        arrived_s, self._waiting_s = self._waiting_s, []
        return Update(
            scores=self._shift_scores(scores or self._no_scores),
            newest=self._fusion.newest,
            opened=self._finish_events(opened),
            final=self._finish_events(final),
            arrived_s=arrived_s,
        )

    def _remember(self, scores: Scores) -> None:
        if scores.people is None:
            return
        self._rows.append(scores)
        while self._rows[0].times_s[-1] < scores.times_s[-1] - _NAMED_FROM_S:
            self._rows.popleft()

    def _finish_events(self, events: list[Event]) -> list[Event]:
        """Names the people of events and puts them on the camera's timeline."""
        if not events:
            return []
        named = tuple(events)
        if self._rows:
            own_labels = self._recognizer.pose_spec.own_labels
            named = name_people(events, _join(list(self._rows)), own_labels)
        return [
            replace(
                event,
                onset_s=max(round(event.onset_s + self._begun_s, 6), 0.0),
                offset_s=round(event.offset_s + self._begun_s, 6),
            )
            for event in named
        ]

    def _shift_scores(self, scores: Scores) -> Scores:
        return replace(scores, times_s=scores.times_s + self._begun_s)


def _join(rows: list[Scores]) -> Scores:
    """Gives consecutive scores with people as one."""
    people = [part.people for part in rows if part.people is not None]
    return replace(
        rows[0],
        times_s=np.concatenate([part.times_s for part in rows]),
        values=np.concatenate([part.values for part in rows]),
        people=People(
            np.concatenate([part.subjects for part in people]),
            np.concatenate([part.targets for part in people]),
            np.concatenate([part.sureness for part in people]),
        ),
    )
