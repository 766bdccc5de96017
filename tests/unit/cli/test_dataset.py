import json

from click.testing import CliRunner

from har.cli import har
from har.synthetic.sequences import load_sequences


def run(*words):
    return CliRunner().invoke(har, ["synth", *map(str, words)])


def test_synth_makes_sequences_of_skeletons(tmp_path):
    done = run(tmp_path, "--skeletons", 6, "--seed", 3, "--jobs", 1, "--json")
    assert done.exit_code == 0, done.output
    result = json.loads(done.stdout)
    assert result["n_sequences"] == 6
    assert len(load_sequences(tmp_path / "sequences.npz")) == 6
    assert {path.name for path in tmp_path.iterdir()} == {"sequences.npz"}


def test_synth_says_where_to_when_no_folder_is_given():
    done = run("--skeletons", 6)
    assert done.exit_code == 2
    assert "OUT" in done.stderr
