"""What a person sees: a line for each thing that happens, or a table that stays in its place."""

import io

import pytest
from moments import make_alert, make_event, make_scores, make_state
from rich.console import Console

from har.live.screen import Dashboard, Lines, Summary
from har.live.service import Screen


@pytest.fixture(autouse=True)
def _utc(monkeypatch: pytest.MonkeyPatch) -> None:
    import time

    monkeypatch.setenv("TZ", "UTC")
    time.tzset()


def _tell(screen: Screen) -> None:
    screen.on_state(make_state(state="starting"))
    screen.on_state(make_state())
    screen.on_state(make_state())
    screen.on_state(make_state("yard", "lost", note="connection refused, next try in 4 s"))
    screen.on_state(make_state("yard", "lost", note="yard cannot be reached"))
    screen.on_scores(make_scores([1.5], [0.83]))
    screen.on_event(make_event(is_open=True))
    screen.on_alert(make_alert(), "hall_1")
    screen.on_event(make_event(length_s=3.0))
    screen.note("events.jsonl cannot be written")
    screen.close()


def test_lines_tell_changes_once() -> None:
    said: list[str] = []
    with Lines(said.append) as screen:
        _tell(screen)
    assert said == [
        "12:00:00 hall is starting",
        "12:00:00 hall is live",
        "12:00:00 yard is lost; yard: connection refused, next try in 4 s",
        "12:00:00 yard cannot be reached",
        "12:00:12 hall: for review: hit for 2.0 s, score 0.90 (hall_1)",
        "12:00:10 hall: hit for 3.0 s, score 0.90",
        "Warning: events.jsonl cannot be written",
    ]


def test_dashboard_shows_every_camera_in_one_table() -> None:
    console = Console(file=io.StringIO(), width=110, force_terminal=True, color_system=None)
    with Dashboard(console) as screen:
        _tell(screen)
        picture = Console(file=io.StringIO(), width=110, record=True)
        picture.print(screen.render())
    lines = [line.strip() for line in picture.export_text().splitlines()]
    rows = [" ".join(line.split()) for line in lines]
    assert rows[:3] == [
        "camera state fps latency dropped now last event",
        "hall live 24.9 180 ms 3 hit 0.83 12:00:10 hit 3.0 s 0.90",
        "yard lost - - 3",
    ]
    assert "12:00:00 yard: connection refused, next try in 4 s" in lines
    assert "12:00:12 hall: for review: hit for 2.0 s, score 0.90" in lines
    assert "events.jsonl cannot be written" in lines


def test_dashboard_says_where_the_model_cannot_tell() -> None:
    screen = Dashboard(Console(file=io.StringIO()))
    screen.on_state(make_state())
    scores = make_scores([], [])
    scores.now[:] = 0
    screen.on_scores(scores)
    picture = Console(file=io.StringIO(), width=110, record=True)
    picture.print(screen.render())
    assert "uncertain" in picture.export_text()


def test_names_with_markup_are_shown_as_they_are() -> None:
    screen = Dashboard(Console(file=io.StringIO()))
    screen.on_state(make_state("[red]hall", note="[bold]note"))
    screen.note("[/] is no markup")
    picture = Console(file=io.StringIO(), width=110, record=True)
    picture.print(screen.render())
    text = picture.export_text()
    assert "[red]hall" in text
    assert "[bold]note" in text
    assert "[/] is no markup" in text


def test_tally_counts_by_camera() -> None:
    summary = Summary()
    summary.on_state(make_state())
    summary.on_event(make_event(is_open=True))
    summary.on_event(make_event())
    summary.on_event(make_event(onset_s=20.0))
    summary.on_event(make_event(camera="yard"))
    summary.on_alert(make_alert(), "hall_1")
    assert summary.to_json() == {
        "kind": "summary",
        "n_undelivered": 0,
        "cameras": [
            {
                "camera": "hall",
                "n_frames": 4210,
                "n_dropped": 3,
                "n_reconnects": 1,
                "events": {"hit": 2},
                "alerts": {"hit": 1},
            }
        ],
    }
