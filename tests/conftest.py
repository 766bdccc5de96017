"""What all tests share: the support modules and the folder of real clips."""

import logging
import os
import signal
import sys
from pathlib import Path

import pytest
from hypothesis import settings

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("HAR_ENGINE", "onnxruntime")
"""Hundreds of small bundles: no test but those of it chooses an engine by time."""
_ROOT = Path(__file__).parents[1]
for _folder in ("tests/support", "benchmarks", "scripts"):
    sys.path.insert(0, str(_ROOT / _folder))

settings.register_profile("har", deadline=None)
"""A test says what is right, not how fast; a busy machine must not fail it."""
settings.load_profile("har")

SHARED_DATA = Path(
    os.environ.get("HAR_SHARED_DATA", Path(__file__).parents[1] / ".." / "shared" / "data")
)


@pytest.fixture(autouse=True, scope="session")
def usual_ctrl_c():
    """A process that a script starts in the background ignores Ctrl-C, and so do its children."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(autouse=True)
def usual_log():
    """What a command sets of the library's log, in the process of the tests, ends with its test."""
    log = logging.getLogger("har")
    level, handlers = log.level, log.handlers[:]
    yield
    log.setLevel(level)
    log.handlers[:] = handlers


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real clips; the test is skipped where there is none."""
    if not SHARED_DATA.is_dir():
        pytest.skip(f"no real clips at {SHARED_DATA}; set HAR_SHARED_DATA to their folder")
    return SHARED_DATA


@pytest.fixture(scope="session")
def postgres_url():
    """A real PostgreSQL server; the test is skipped where none is installed."""
    from postgres import find_bin, run_postgres

    if find_bin() is None:
        pytest.skip("PostgreSQL is not installed (Debian: postgresql)")
    with run_postgres() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def review_url(request, tmp_path):
    """The address of an empty database for a review, once of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/review.db"
    import sqlalchemy as sa

    url = request.getfixturevalue("postgres_url")
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        connection.execute(sa.text("DROP SCHEMA public CASCADE"))
        connection.execute(sa.text("CREATE SCHEMA public"))
    engine.dispose()
    return url
