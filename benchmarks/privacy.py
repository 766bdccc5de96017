"""How much of people's heads stays uncovered where faces are to be hidden.

    python benchmarks/privacy.py [CLIPS]... [--second DETECTOR LANDMARKS] [--scenes 6] [--model M]

Without CLIPS on synthetic clips, whose heads are known: from near and far, by day, dusk and night.
With folders of real clips also there, against heads that a second network finds: BlazePose
(Apache-2.0), `pose_solution_packed_assets.data` and `pose_landmark_full.tflite` of the npm package
@mediapipe/pose 0.5.1675469404. What it does not find either is not counted, and it errs, too.

Heads are covered as `har` does it for models without keypoints, by a detection of its own; with
--model as for that model, by the keypoints that its recognition finds in the same pass.

``pixels open`` is the share of all head pixels that nothing covers, ``heads open`` that of heads of
which more than a quarter is open; with ``blur-moving`` what --uncertain blur-moving blurs counts as
covered, too. Sizes are the heads' widths in pixels of the video.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from common_parts.show import build_parser, show
from privacy_parts.finders import OwnDetection, SamePass
from privacy_parts.real import measure_real
from privacy_parts.synthetic import measure_synthetic


def main() -> None:
    """Measure, and print the tables."""
    parser = build_parser(__doc__ or "")
    parser.add_argument("clips", nargs="*", type=Path, help="Folders of real clips.")
    parser.add_argument(
        "--second", type=Path, nargs=2, help="BlazePose's detector and landmarks, TFLite graphs."
    )
    parser.add_argument("--model", help="Cover by this model's own keypoints; it has some.")
    parser.add_argument("--scenes", type=int, default=6, help="Synthetic scenes; 0 for none.")
    parser.add_argument("--n-clips", type=int, default=10, help="Of each folder.")
    parser.add_argument("--every-s", type=float, default=0.5, help="Between judged pictures.")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if options.clips and options.second is None:
        parser.error("Real clips need --second, the graphs of a second network")
    finder = SamePass(options.model) if options.model else OwnDetection()
    found: dict[str, Any] = {}
    if options.scenes:
        found["synthetic"] = measure_synthetic(options.scenes, options.seed, finder)
    if options.clips:
        found["real"] = measure_real(
            options.clips, tuple(options.second), options.n_clips, options.every_s, finder
        )
    print(json.dumps(found, indent=2) if options.json else "\n".join(show(found)))


if __name__ == "__main__":
    main()
