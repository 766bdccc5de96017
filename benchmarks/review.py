"""Measure the review page in Chromium on a recording of two hours with 5,000 events.

Prints how long it takes from `har predict` on a synthetic recording of a minute to the first event
that is mended and saved. Then the time to the first picture of the timeline, the frames a second
while it is scrolled and changes its scale without a pause, and the page's memory before and after:
events and scores are by a formula, the film is still. Needs Chromium (Debian: ``chromium``) and
Playwright.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tests/support"))
from reviewing import CHROMIUM, ReviewServer, Watched, make_film, make_results, open_browser

import har

LENGTH_S = 7200.0
_WHEEL = """async ([turns, shift]) => {
  const canvas = document.querySelector('canvas');
  const box = canvas.getBoundingClientRect();
  const gaps = [];
  let last = await new Promise(requestAnimationFrame);
  for (let k = 0; k < turns; k++) {
    const deltaY = shift ? (k % 100 < 50 ? 60 : -60) : (k % 60 < 30 ? -80 : 80);
    const place = { clientX: box.left + box.width * 0.6, clientY: box.top + 40 };
    const how = { deltaY, shiftKey: shift, bubbles: true, cancelable: true };
    canvas.dispatchEvent(new WheelEvent('wheel', { ...how, ...place }));
    const now = await new Promise(requestAnimationFrame);
    gaps.push(now - last);
    last = now;
  }
  return gaps;
}"""


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--events", type=int, default=5000)
    parser.add_argument("--frames", type=int, default=600, help="of each way of moving")
    options = parser.parse_args()
    if CHROMIUM is None:
        parser.error("Chromium is not installed")
    print(f"{'from har predict to the first mended event':42} {measure_first():.0f} s")
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out"
        out.mkdir()
        make_film(out / "long.mp4", LENGTH_S, fps=1.0)
        pace_s = LENGTH_S / options.events
        events = [
            (("hit", "push")[k % 2], k * pace_s, k * pace_s + pace_s * 0.7, 0.4 + k % 60 / 100)
            for k in range(options.events)
        ]
        make_results(out, {"long": events}, LENGTH_S)
        with ReviewServer(out) as server, open_browser() as browser:
            for name, value in measure(browser, server, options.frames).items():
                print(f"{name:42} {value}")


def measure_first() -> float:
    """Return the seconds from a recording to its first mended event."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        har.synthesize(folder, clips=0, recordings=1, minutes=1.0)
        (film,) = (folder / "recordings").glob("*.mp4")
        out = folder / "out"
        begun_s = time.perf_counter()
        words = ["predict", str(film), "--bundle", "three-class", "--out", str(out)]
        subprocess.run([sys.executable, "-m", "har", *words], check=True, capture_output=True)
        with ReviewServer(out) as server, open_browser() as browser:
            watched = Watched(browser, server, 1280)
            watched.sign_in()
            watched.open(film.stem)
            for key in ("n", "Shift+ArrowRight", "]"):
                watched.page.keyboard.press(key)
            watched.wait_saved()
            if not watched.list_own():
                raise RuntimeError("No event was found to mend")
            return time.perf_counter() - begun_s


def measure(browser: Any, server: ReviewServer, n_frames: int) -> dict[str, str]:
    """Return figures by name."""
    watched = Watched(browser, server, 1280)
    watched.sign_in()
    begun_s = time.perf_counter()
    watched.page.get_by_role("button", name="long").click()
    watched.wait_for("document.querySelector('canvas')?.timeline?.rows?.length > 0")
    first_s = time.perf_counter() - begun_s
    watched.wait_for("document.querySelector('canvas').timeline.scores")
    figures = {"first view": f"{first_s:.2f} s"}
    figures["with scores"] = f"{time.perf_counter() - begun_s:.2f} s"
    watched.wait_for("document.querySelector('video')?.readyState >= 2")
    devtools = watched.context.new_cdp_session(watched.page)
    before = _read_heap(devtools)
    for name, is_shifted in (("changing the scale", False), ("scrolling", True)):
        gaps_ms = sorted(watched.page.evaluate(_WHEEL, [n_frames, is_shifted]))
        slow = gaps_ms[int(len(gaps_ms) * 0.95)]
        rate = 1000 * len(gaps_ms) / sum(gaps_ms)
        figures[name] = f"{rate:.0f} frames a second; 95 % within {slow:.0f} ms"
    begun_s = time.perf_counter()
    for _ in range(100):
        watched.page.keyboard.press("n")
        watched.page.keyboard.press("Enter")
    watched.wait_saved()
    figures["100 events accepted by keys, saved"] = f"{time.perf_counter() - begun_s:.1f} s"
    for is_shifted in (False, True) * 3:
        watched.page.evaluate(_WHEEL, [n_frames, is_shifted])
    figures["memory of the page before"] = f"{before / 2**20:.1f} MiB"
    figures["after eight times as many frames"] = f"{_read_heap(devtools) / 2**20:.1f} MiB"
    watched.close()
    return figures


def _read_heap(devtools: Any) -> float:
    """Return the bytes of scripts' memory after a collection."""
    devtools.send("HeapProfiler.collectGarbage")
    return float(devtools.send("Runtime.getHeapUsage")["usedSize"])


if __name__ == "__main__":
    main()
