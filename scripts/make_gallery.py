"""Makes the pictures and the film of docs/gallery.md from the recording that the demo shows.

``python scripts/make_gallery.py`` writes docs/images/gallery; it takes two minutes. All people are
synthetic.
"""

from __future__ import annotations

import shutil
import tempfile
from fractions import Fraction
from pathlib import Path

import av
import cv2

import har
from har.demo import FIRST, take_first_look
from har.progress import say_on_stderr

FOLDER = Path(__file__).parents[1] / "docs" / "images" / "gallery"
FILM_SIZE = (480, 360)
FILM_HZ = 10
PARTS_S = ((7.0, 12.5), (20.0, 23.0))
"""What the film shows of the recording: the two events that are found."""


def write_film(source: Path, target: Path) -> None:
    """Write parts of a video as a small WebM."""
    with av.open(str(source)) as video, av.open(str(target), "w") as container:
        stream = container.add_stream("libvpx-vp9", rate=FILM_HZ, options={"crf": "38", "b": "0"})
        stream.width, stream.height = FILM_SIZE
        stream.pix_fmt = "yuv420p"
        n_frames, last = 0, -1
        for frame in video.decode(video=0):
            step = int((frame.time or 0.0) * FILM_HZ)
            if step == last or not any(a <= (frame.time or 0.0) < b for a, b in PARTS_S):
                continue
            last = step
            picture = frame.reformat(*FILM_SIZE, format="yuv420p")
            picture.pts, picture.time_base = n_frames, Fraction(1, FILM_HZ)
            container.mux(stream.encode(picture))
            n_frames += 1
        container.mux(stream.encode(None))


def write_still(source: Path, target: Path, time_s: float) -> None:
    """Write one picture of a video as a small JPEG."""
    with av.open(str(source)) as video:
        for frame in video.decode(video=0):
            if (frame.time or 0.0) >= time_s:
                picture = frame.reformat(*FILM_SIZE, format="bgr24").to_ndarray()
                cv2.imwrite(str(target), picture, [cv2.IMWRITE_JPEG_QUALITY, 80])
                return


def main() -> None:
    """Make all of it anew."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        look = take_first_look(folder, say_on_stderr)
        shutil.copy(look.paths["timeline"], FOLDER / "timeline.svg")
        write_film(look.paths["annotated video"], FOLDER / "film.webm")
        recording = look.recording.info.path
        for name, options in (
            ("faces", {"faces": "blur"}),
            ("skeleton", {"people": "skeleton"}),
        ):
            out = folder / name
            har.predict(recording, model="three-class", out=out, annotate=True, jobs=1, **options)
            (film,) = out.glob("*.annotated.mp4")
            write_still(film, FOLDER / f"{name}.jpg", 9.0)
        made = har.synthesize(folder / "clips", clips=9, scenes=9, variety=0.5, seed=FIRST.seed)
        sheet = cv2.imread(str(made.sheet))
        height, width = sheet.shape[:2]
        small = cv2.resize(sheet, (900, 900 * height // width), interpolation=cv2.INTER_AREA)
        cv2.imwrite(str(FOLDER / "clips.jpg"), small, [cv2.IMWRITE_JPEG_QUALITY, 80])


if __name__ == "__main__":
    main()
