"""What may listen to a camera's pictures as they come, before they are decoded or converted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from har.types import Frame

if TYPE_CHECKING:
    import av


class PacketTap(Protocol):
    """Gets everything that cameras send; called from the cameras' threads, one thread a camera.

    ``time_s`` is on the camera's timeline, as the onsets of its events are: seconds since its first
    frame, which never goes back, also after the camera was lost and found again.
    """

    def open(self, camera: str, stream: av.VideoStream) -> None:
        """A camera that sends packets is there, again after each reconnection or change of size.

        Args:
            camera: Its name.
            stream: Tells how its packets are coded; may be read until the next call for the camera
                and not after the camera was lost.
        """
        ...

    def push(self, camera: str, packet: av.Packet, time_s: float) -> None:
        """The next packet that has a time, in the order of decoding; may be kept for ever."""
        ...

    def push_frame(self, camera: str, frame: Frame) -> None:
        """The next picture of a webcam, RGB in its own size, which sends no packets."""
        ...
