"""Scores come back from their files as the same bits, and nothing else is taken for scores."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from har.errors import OutputError
from har.events.files import find_scores, load_scores, save_scores
from har.types import People, Scores


@st.composite
def scores_of_any_kind(draw: st.DrawFn) -> Scores:
    labels = draw(
        st.lists(
            st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), min_size=1),
            min_size=2,
            max_size=4,
            unique=True,
        )
    )
    n = draw(st.integers(1, 20))
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    values = rng.dirichlet(np.full(len(labels), 0.3), n) * (rng.random((n, 1)) < 0.9)
    step_s = draw(st.floats(1e-3, 2.0))
    people = None
    if draw(st.booleans()):
        numbers = rng.integers(0, 10**6, (2, n, len(labels)))
        people = People(*numbers, rng.random(n, dtype=np.float32))
    return Scores(
        tuple(labels),
        (np.arange(n) + 0.5) * step_s,
        values.astype(np.float32),
        step_s,
        people,
    )


@given(scores=scores_of_any_kind())
def test_scores_come_back_without_loss(
    tmp_path_factory: pytest.TempPathFactory, scores: Scores
) -> None:
    path = tmp_path_factory.getbasetemp() / "scores.csv"
    save_scores(path, scores)
    found = load_scores(path)
    assert (found.labels, found.step_s) == (scores.labels, scores.step_s)
    assert found.values.dtype == np.float32
    np.testing.assert_array_equal(found.times_s, scores.times_s)
    np.testing.assert_array_equal(found.values, scores.values)
    assert (found.people is None) is (scores.people is None)
    if found.people is not None and scores.people is not None:
        for name, expected in vars(scores.people).items():
            array = getattr(found.people, name)
            assert array.dtype == expected.dtype
            np.testing.assert_array_equal(array, expected)


def test_labels_that_are_named_as_the_columns_of_people_come_back(tmp_path: Path) -> None:
    labels = ("a", "confidence", "subject:a")
    values = np.full((2, 3), 1 / 3, np.float32)
    numbers = np.arange(6).reshape(2, 3)
    for people in (None, People(numbers, numbers + 1, np.ones(2, np.float32))):
        scores = Scores(labels, np.array([0.5, 1.5]), values, 1.0, people)
        save_scores(tmp_path / "scores.csv", scores)
        found = load_scores(tmp_path / "scores.csv")
        assert found.labels == labels
        assert (found.people is None) is (people is None)


PEOPLE = b"time_s,step_s,a,b,confidence,subject:a,subject:b,target:a,target:b\n"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "first line is ''"),
        (b"video,start_s\n", "first line is 'video,start_s'"),
        (b"time_s,step_s,a,b\n", "no rows"),
        (b"time_s,step_s,a,b\n0.5,1,0.5\n", "cannot be read"),
        (b"time_s,step_s,a,b\n0.5,1,x,0.5\n", "could not convert"),
        (b"time_s,step_s,a,b\n0.5,1,1.5,0.5\n", "not from 0 to 1"),
        (b"time_s,step_s,a,b\n0.5,1,nan,0.5\n", "not from 0 to 1"),
        (b"time_s,step_s,a,b\n0.5,1,1,0\n0.5,1,1,0\n", "ascend"),
        (b"time_s,step_s,a,b\n0.5,1,1,0\n1.5,2,1,0\n", "even steps"),
        (b"time_s,step_s,a,b\n0.5,1,1,0.8\n", "sum to 1.8, not 1"),
        (b"time_s,step_s,a,b\n0.5,0,1,0\n1.5,0,1,0\n", "step must be above 0"),
        (b"time_s,step_s,a,b\n0.5,-1,1,0\n", "step must be above 0"),
        (b"time_s,step_s,a,b\n0.5,inf,1,0\n", "step must be above 0"),
        (b"time_s,step_s,a,b\n-0.5,1,1,0\n0.5,1,1,0\n", "times must be from 0"),
        (b"time_s,step_s,a,b\n1e300,1,1,0\n", "times must be from 0"),
        (PEOPLE + b"0.5,1,1,0,0.5,1,1e300,2,2\n", "not a whole number"),
        (PEOPLE + b"0.5,1,1,0,1.5,1,1,2,2\n", "confidence is not"),
        (PEOPLE + b"0.5,1,1,0,0.5,1,1.5,2,2\n", "not a whole number"),
        (PEOPLE + b"0.5,1,1,0,0.5,1,1,-2,2\n", "not a whole number"),
        (b"\xff\xfe\x00", "cannot be read"),
    ],
)
def test_a_file_that_is_no_scores_is_named(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "scores.csv").write_bytes(content)
    with pytest.raises(OutputError, match=message) as caught:
        load_scores(tmp_path / "scores.csv")
    assert "scores.csv" in str(caught.value)


def test_scores_of_a_lone_picture_and_of_nothing_known_come_back(tmp_path: Path) -> None:
    (tmp_path / "scores.csv").write_text("time_s,step_s,a,b\n0.0,0.0,0.0,0.0\n")
    assert load_scores(tmp_path / "scores.csv").step_s == 0.0


def test_scores_that_are_not_there_are_named(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"absent\.csv"):
        load_scores(tmp_path / "absent.csv")


def test_folders_stand_for_the_scores_in_them(tmp_path: Path) -> None:
    for name in ("b.scores.csv", "a.scores.csv", "a.events.csv"):
        (tmp_path / name).touch()
    found = find_scores([tmp_path / "b.scores.csv", tmp_path])
    assert found == [tmp_path / "b.scores.csv", tmp_path / "a.scores.csv"]
    with pytest.raises(OutputError, match=r"no file of scores or folder .*absent\.csv; check"):
        find_scores([tmp_path / "absent.csv"])


def test_a_folder_without_scores_is_named(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"holds no file that ends in \.scores\.csv"):
        find_scores([tmp_path])
