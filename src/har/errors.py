"""Every error that har raises on purpose.

    HarError
    |-- ConfigError                  ValueError         a setting is out of its bounds
    |-- MissingDependencyError       ImportError        an extra is not installed
    |-- VideoError
    |   |-- VideoNotFoundError       FileNotFoundError
    |   |-- VideoOpenError           OSError            not a video, unreadable, empty file
    |   |-- CameraError              OSError            no such camera, or it has stopped
    |   |-- NoVideoStreamError       ValueError         audio only
    |   |-- EmptyVideoError          ValueError         no frame, or too few
    |   |-- PoseFileError            ValueError         keypoints of another tool, unreadable
    |   |-- FeatureFileError         ValueError         features, unreadable or of another network
    |   |-- VideoDecodeError         OSError            part is damaged; all else was decoded
    |   `-- VideoWriteError          OSError
    |-- OutputError                  OSError            a result could not be written or read back
    |-- LockedError                  OSError            another run is at work in the folder
    |-- WorkerError                  RuntimeError       worker processes cannot be started
    |-- TableError                   ValueError         a user's table cannot be read
    |-- InterchangeError             ValueError         a file of events cannot be read or written
    |-- DatasetError
    |   |-- ManifestError            TableError
    |   |-- NoClipsError             ValueError
    |   |-- SplitError               ValueError         a split that would leak is refused
    |   `-- StoreError               ValueError
    |-- ReviewError                  RuntimeError       the review database or page refused
    |   `-- ReviewConflictError                         another window has changed the event since
    `-- BundleError
        |-- BundleNotFoundError      FileNotFoundError
        |-- BundleIntegrityError     ValueError         a file is missing, altered or unsafe
        |-- BundleMismatchError      ValueError         the bundle does not fit what it is used on
        |-- HubError                 OSError            a hub of models refused, or is out of reach
        `-- ExportError              ValueError         it cannot be exported in this form

A message says what is wrong, the value received, where it was met (path, time) and what to do.
Errors of PyAV, OpenCV and Keras are translated once, at the module that calls them.
"""

from har.escaping import show_controls


class HarError(Exception):
    """Base of all errors of this package; exit code 1 on the command line."""

    def __str__(self) -> str:
        """Return the message; control characters of names and labels in it are escapes."""
        return show_controls(super().__str__())

    def _render_traceback_(self) -> list[str]:
        """Return what a notebook shows in place of a long traceback; ``%debug`` has all of it."""
        return [f"{type(self).__name__}: {self}"]


class ConfigError(HarError, ValueError):
    """A setting is out of its bounds, or several are: then there is an argument for each."""

    def __str__(self) -> str:
        """Return the message, or all of them, one a line."""
        if len(self.args) < 2:
            return super().__str__()
        lines = [f"{len(self.args)} settings are wrong:", *map(str, self.args)]
        return show_controls("\n- ".join(lines))


class MissingDependencyError(HarError, ImportError):
    """A part of har needs a package that is not installed."""


class VideoError(HarError):
    """Something about one video."""


class VideoNotFoundError(VideoError, FileNotFoundError):
    """There is no such file."""


class VideoOpenError(VideoError, OSError):
    """The file cannot be read as a video."""


class CameraError(VideoError, OSError):
    """A camera cannot be opened or has stopped sending pictures."""


class NoVideoStreamError(VideoError, ValueError):
    """The file holds no pictures, only sound or data."""


class EmptyVideoError(VideoError, ValueError):
    """The video, or the given part of it, has too few frames."""


class PoseFileError(VideoError, ValueError):
    """A file of keypoints, which stands where a video would, cannot be read."""


class FeatureFileError(VideoError, ValueError):
    """A file of features, which stands where a video would, is unreadable or does not fit."""


class VideoDecodeError(VideoError, OSError):
    """Part of the video cannot be decoded; all other frames were decoded."""


class VideoWriteError(VideoError, OSError):
    """A video file could not be written."""


class OutputError(HarError, OSError):
    """A file of results could not be written, or a saved one not read back."""


class LockedError(HarError, OSError):
    """Another run is at work in the same folder."""


class WorkerError(HarError, RuntimeError):
    """Worker processes cannot be started on this machine, or by this script."""


class TableError(HarError, ValueError):
    """A table of the user cannot be read, or contradicts itself."""


class InterchangeError(HarError, ValueError):
    """A file of coded events cannot be understood, or not be written in a format."""


class DatasetError(HarError):
    """Something about a set of clips."""


class ManifestError(TableError, DatasetError):
    """The manifest cannot be understood."""


class NoClipsError(DatasetError, ValueError):
    """Nothing usable was found, or too little to train on."""


class SplitError(DatasetError, ValueError):
    """The split cannot be made without dividing a group."""


class StoreError(DatasetError, ValueError):
    """The store is absent, incomplete or of another version."""


class BundleError(HarError):
    """Something about a trained model's folder."""


class BundleNotFoundError(BundleError, FileNotFoundError):
    """There is no bundle at that place."""


class BundleIntegrityError(BundleError, ValueError):
    """A file of the bundle is missing, altered or unsafe to load."""


class BundleMismatchError(BundleError, ValueError):
    """The bundle does not fit what it is used on."""


class HubError(BundleError, OSError):
    """A hub of models refused something, or cannot be reached."""


class ExportError(BundleError, ValueError):
    """A bundle cannot be exported in this form, or would lose too much by it."""


class ReviewError(HarError, RuntimeError):
    """The review database or its page refused something."""


class ReviewConflictError(ReviewError):
    """Another window has changed the event since; `newest` is what stands there, if anything."""

    def __init__(self, message: str, newest: object) -> None:
        super().__init__(message)
        self.newest = newest
