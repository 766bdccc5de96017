"""Recording of a first test set of one's own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from har.api.settings import StrPath, to_path
from har.config import CaptureConfig, Posture
from har.errors import ConfigError

if TYPE_CHECKING:
    from har.capture.session import CaptureResult, Screen


class _Quiet:
    """Shows nothing; a film needs nobody who is told."""

    def say(self, text: str) -> None:
        """Show a line that stays."""

    def show(self, text: str) -> None:
        """Show a line that the next one replaces."""

    def ring(self) -> None:
        """Make a sound."""

    def wait(self, text: str) -> None:
        """Wait for nobody."""


def record(
    out: StrPath,
    source: int | StrPath = 0,
    *,
    person: str = CaptureConfig.person,
    place: str = CaptureConfig.place,
    partner: str = CaptureConfig.partner,
    postures: Sequence[Posture] = CaptureConfig.postures,
    ready_s: float = CaptureConfig.ready_s,
    seed: int = CaptureConfig.seed,
    guide: Screen | None = None,
    on_start: Callable[[], None] | None = None,
) -> CaptureResult:
    """Record a first test set: soft staged taps and everyday gestures of willing adults.

    Takes of four seconds are led before a webcam, or cut out of a film of the script that
    ``har record --list`` prints; people and hands are checked at once. What is there is not asked
    for again. Soft taps only, adults only, stop at any pain.

    Args:
        out: Folder of the labeled clips and their manifest, which `har.prepare` takes.
        source: Number of a camera, or a film of the script.
        person: Id of who acts; no real name. With the place it is the group.
        place: Id of the room.
        partner: Id of a second person; adds takes of two people.
        postures: Parts of the session.
        ready_s: Seconds to read what to do.
        seed: Draws the order.
        guide: Tells people what to do and waits for them; needed with a camera. ``har record`` in
            a terminal brings one along.
        on_start: Is called once the camera is open.

    Raises:
        ConfigError: A setting is out of its bounds, or a camera is to be used without a guide.
        CameraError: The camera cannot be opened or has stopped.
        VideoError: The film cannot be opened, or a clip not written.
        ManifestError: The folder holds a manifest of something else.
        OutputError: Manifest or sheet cannot be written.

    Example:
        >>> import har
        >>> done = har.record("takes", "film.mp4", person="p1", place="r1")  # doctest: +SKIP
        >>> done.n_new  # doctest: +SKIP
        66
    """
    from har.capture.session import Session
    from har.inference.detector import PoseDetector
    from har.video.camera.webcam import open_camera

    config = CaptureConfig(
        person=person,
        place=place,
        partner=partner,
        postures=tuple(postures),
        ready_s=ready_s,
        seed=seed,
    )
    is_camera = isinstance(source, int) or str(source).isdecimal()
    if is_camera and guide is None:
        raise ConfigError(
            "A camera session talks with people: give a guide, run 'har record' in a terminal, or "
            "give a film"
        )
    session = Session(to_path(out), config, PoseDetector(n_threads=1), guide or _Quiet())
    if not is_camera:
        return session.run_film(Path(str(source)))
    with open_camera(int(str(source))) as camera:
        if on_start is not None:
            on_start()
        return session.run_camera(iter(camera))
