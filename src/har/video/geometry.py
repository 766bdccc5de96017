"""How a picture is fitted into another shape without being stretched: pure arithmetic."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Letterbox:
    """The part of the target that shows the picture; the rest is black bars.

    Attributes:
        top: First row of the content, px.
        left: First column of the content, px.
        height: Rows of the content, px, at least 1.
        width: Columns of the content, px, at least 1.
    """

    top: int
    left: int
    height: int
    width: int

    @property
    def rows(self) -> slice:
        """The content's rows."""
        return slice(self.top, self.top + self.height)

    @property
    def columns(self) -> slice:
        """The content's columns."""
        return slice(self.left, self.left + self.width)


@dataclass(frozen=True)
class Orientation:
    """How a stored picture becomes the one that is shown; there are eight ways.

    Attributes:
        is_sideways: Rows and columns are exchanged first.
        flips_x: Left and right are exchanged then.
        flips_y: Top and bottom are exchanged then.
    """

    is_sideways: bool = False
    flips_x: bool = False
    flips_y: bool = False

    @property
    def is_mirrored(self) -> bool:
        """Whether no turn alone gives it: left and right are exchanged before the turn."""
        return (self.is_sideways + self.flips_x + self.flips_y) % 2 == 1

    @property
    def rotation_deg(self) -> int:
        """Clockwise turn, 0, 90, 180 or 270, after mirroring if it is mirrored."""
        if self.is_sideways:
            return 90 if self.flips_x else 270
        return 180 if self.flips_y else 0


def find_orientation(a: float, b: float, c: float, d: float) -> Orientation:
    """Return the orientation nearest to a display matrix, which gives ``(ax + cy, bx + dy)``.

    A matrix of zeros says nothing.

    >>> find_orientation(0, 1, -1, 0).rotation_deg
    90
    >>> find_orientation(-1, 0, 0, 1)
    Orientation(is_sideways=False, flips_x=True, flips_y=False)
    """
    if abs(b) + abs(c) > abs(a) + abs(d):
        return Orientation(True, c < 0, b < 0)
    return Orientation(False, a < 0, d < 0)


def compute_letterbox(source: tuple[int, int], target: tuple[int, int]) -> Letterbox:
    """Return the centered place of the largest picture of the source's shape in the target.

    Args:
        source: (H, W) as seen on a screen, px, both at least 1.
        target: (H, W), px, both at least 1.

    Returns:
        Content of whole pixels; where the bars cannot be equal, the one below or to the right is
        a pixel wider.

    >>> compute_letterbox((360, 640), (128, 224))
    Letterbox(top=1, left=0, height=126, width=224)
    >>> compute_letterbox((640, 360), (128, 224))
    Letterbox(top=0, left=76, height=128, width=72)
    """
    scale = min(target[0] / source[0], target[1] / source[1])
    height = min(max(round(source[0] * scale), 1), target[0])
    width = min(max(round(source[1] * scale), 1), target[1])
    return Letterbox((target[0] - height) // 2, (target[1] - width) // 2, height, width)


def compute_fill(source: tuple[int, int], target: tuple[int, int]) -> float:
    """Return the part of the target, in (0, 1], that is picture and not bars.

    >>> compute_fill((100, 200), (64, 64))
    0.5
    """
    box = compute_letterbox(source, target)
    return box.height * box.width / (target[0] * target[1])
