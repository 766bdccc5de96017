"""Stores that the training tests share."""

import pytest
from crowds import make_crowd_store
from stores import make_store

from har.dataset.store import Store


@pytest.fixture(scope="session")
def bar_store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Six groups of four clips, moving and resting bars, gray 64x96."""
    return make_store(tmp_path_factory.mktemp("bars"))


@pytest.fixture(scope="session")
def crowd_store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Six groups of three clips: people who hit others, hit themselves, stand; with keypoints."""
    return make_crowd_store(tmp_path_factory.mktemp("crowd"))
