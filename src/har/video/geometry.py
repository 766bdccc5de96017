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
