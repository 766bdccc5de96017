"""Looking at what was found and mending it, in a browser on this machine."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from har.addresses import refuse_addresses
from har.api.learning import Learned, learn
from har.api.settings import StrPath, extra, find_folder, list_paths
from har.api.videos import predict
from har.bundle import load_info
from har.bundle_files import FOLDER as SHIPPED
from har.config import Faces, PrivacyConfig, ShownPeople, TrainConfig, Uncertain, update_config
from har.errors import ConfigError, ReviewError
from har.inference.video import find_videos
from har.interchange.formats import read_events
from har.interchange.har_json import RESULTS

if TYPE_CHECKING:
    from har.review.project import Project


def open_project(
    sources: StrPath | Iterable[StrPath],
    *,
    database: str | None = None,
    coding: StrPath | None = None,
    model: StrPath | None = None,
    background: str = "",
    samples: int = 3,
    sample_s: float = 20.0,
    seed: int = 0,
    faces: Faces = "keep",
    people: ShownPeople = "keep",
    uncertain: Uncertain = "keep",
) -> Project:
    """Return what is reviewed: results with their database of verdicts.

    Arguments are those of `open_review`.

    Raises:
        ReviewError: There is nothing to review, or the database cannot be opened.
        InterchangeError: Results or the coding cannot be read.
        MissingDependencyError: The extra ``review`` is not installed.
    """
    with extra("review"):
        from har.review import project as projects
        from har.review.learning import Teacher
        from har.review.media import MediaFolder
        from har.review.store import ReviewStore
        from har.review.watched import WatchFolder, is_watch_folder
    privacy = PrivacyConfig(faces, people, uncertain)
    named = list_paths(sources)
    if not named:
        raise ConfigError("Name a folder of results or videos to review")
    folders = [path for path in named if (path / RESULTS).is_file()]
    watches = [path for path in named if path not in folders and is_watch_folder(path)]
    videos = [path for path in named if path not in (*folders, *watches)]
    if videos:
        _check_videos(videos)
        folders.append(predict(videos, out="results/predict", model=model).out)
    home = (folders or watches)[0]
    url = database or f"sqlite:///{home / 'review.db'}"
    store = ReviewStore(url)
    for folder in folders:
        projects.add_results(store, folder)
    if not (watches or store.list_recordings()):
        store.close()
        raise ReviewError(
            f"Nothing to review: the results in {home} are of no video; run 'har predict VIDEOS "
            f"--out {home}' first"
        )
    if coding is not None:
        projects.add_coding(store, read_events(Path(coding)))
    projects.add_samples(store, samples, sample_s, seed)
    watched = tuple(map(WatchFolder, watches))
    for folder in watched:
        folder.add_alerts(store)
    teach = None if model is None else partial(_learn, url, model, background, home / "learned")
    media = MediaFolder(home / ".review", privacy)
    return projects.Project(store, media, watched, Teacher(teach))


def _check_videos(videos: list[Path]) -> None:
    refuse_addresses(videos, "folders of results, or videos")
    found, rejects = find_videos(videos)
    if not found:
        raise ReviewError(
            f"Nothing to review: {rejects[0].reason}, nor anything that 'har predict' or 'har "
            "watch' wrote; name a folder of theirs, or videos"
        )


def _learn(url: str, model: StrPath, background: str, home: Path, observer: str) -> Learned:
    """Train from the verdicts of one observer by the model's own recipe."""
    folder = find_folder(model)
    own = {} if folder.is_relative_to(SHIPPED) else load_info(folder).recipe
    return learn(
        url,
        model,
        annotator=observer,
        background=background,
        recipe=update_config(TrainConfig(), own) if own else "full",
        out=home / "model",
        results=home,
        overwrite=True,
        progress=False,
    )


def open_review(
    sources: StrPath | Iterable[StrPath],
    *,
    database: str | None = None,
    coding: StrPath | None = None,
    model: StrPath | None = None,
    background: str = "",
    samples: int = 3,
    sample_s: float = 20.0,
    seed: int = 0,
    faces: Faces = "keep",
    people: ShownPeople = "keep",
    uncertain: Uncertain = "keep",
    port: int = 0,
    open_browser: bool = False,
    on_start: Callable[[str], None] | None = None,
) -> None:
    """Open a page on this machine on which people look at what was found, and mend it.

    It answers on the loopback only, to who has the token in its address, and runs until it is
    stopped. What the model said is never overwritten.

    Args:
        sources: Folders that `har.predict` wrote; folders of `har.watch`, whose alerts come into
            the same queue, also while it runs; or videos, which are recognized first into
            ``results/predict``.
        database: URL of SQLAlchemy, SQLite or PostgreSQL; ``review.db`` in the first folder when
            None.
        coding: A coding that is shown beside the model's events.
        model: Recognizes videos, and is what *Learn* on the page starts from.
        background: Label of what *Learn* makes of rejected events; the model's own when empty.
        samples: Random samples of each recording to watch for events that were missed.
        sample_s: Length of one, in seconds.
        seed: Draws them.
        faces: What becomes of heads in the videos that the page shows; copies are made of them.
        people: ``skeleton`` shows skeletons on the still background, and no people.
        uncertain: ``blur-moving`` also blurs what moves where nobody was found.
        port: On the loopback; 0 takes a free one.
        open_browser: Open the page in this machine's browser.
        on_start: Gets the page's address.

    Raises:
        ReviewError: There is nothing to review, the database cannot be opened, or the port is
            taken.
        InterchangeError: Results or the coding cannot be read.
        MissingDependencyError: The extra ``review`` is not installed.

    Example:
        >>> import har
        >>> har.open_review("results/predict", open_browser=True)  # doctest: +SKIP
    """
    project = open_project(
        sources,
        database=database,
        coding=coding,
        model=model,
        background=background,
        samples=samples,
        sample_s=sample_s,
        seed=seed,
        faces=faces,
        people=people,
        uncertain=uncertain,
    )
    from har.review.app import serve

    try:
        serve(project, port, open_browser, on_start)
    finally:
        project.store.close()
