import pytest
from click.testing import CliRunner

from har.cli import har


def run(*words):
    return CliRunner().invoke(har, ["synth", *map(str, words)])


def test_synth_says_where_skeleton_sequences_are_made_now(tmp_path):
    done = run(tmp_path / "out", "--skeletons", 6)
    assert done.exit_code == 2
    assert "scripts/three_class/write_sequences.py" in done.stderr
    assert "--sequences 6" in done.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("words", [(), ("--clips", 6)])
def test_synth_needs_a_folder(words):
    done = run(*words)
    assert done.exit_code == 2
    assert "OUT" in done.stderr
