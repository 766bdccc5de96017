"""Which single cue of synthetic sequences tells the class? A test of the generator alone.

    python benchmarks/cues.py [--sequences 3000] [--variety 1.0] [--seed 0] [--jobs 0]

Prints a table and ends with an error where a cue that is no part of an act tells its class.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "scripts"))  # three_class

from common_parts.show import build_parser


def main() -> None:
    """Check the cues and print what each alone tells."""
    parser = build_parser(__doc__ or "")
    parser.add_argument("--sequences", type=int, default=3000)
    parser.add_argument("--variety", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=0, help="processes; 0 means one a core")
    options = parser.parse_args()
    from cues_parts.check import check_cues, find_leaks, require_no_leak
    from three_class.settings import SequencesConfig

    config = SequencesConfig(options.sequences, variety=options.variety, seed=options.seed)
    figures = check_cues(config, options.jobs, progress=True)
    leaks = find_leaks(figures)
    for figure in figures:
        note = "TELLS THE CLASS" if figure in leaks else figure.why
        print(
            f"{figure.label:>15} / {figure.other:<15} {figure.cue:<24} "
            f"{figure.true_auc:.3f} {figure.seen_auc:.3f} {note}"
        )
    require_no_leak(figures)


if __name__ == "__main__":
    main()
