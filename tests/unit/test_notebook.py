"""In a notebook errors are a line, and results of several things are tables."""

from pathlib import Path

import nbclient
import nbformat
import pytest
from bundles import make_bundle
from videos import make_video

import har

CODING = "video,label,start,end\na.mp4,active,0,1\n<b>.mp4,active,0,1\n"


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    folder = tmp_path_factory.mktemp("notebook")
    for name in ("a", "<b>"):
        make_video(folder / "videos" / f"{name}.mp4", [i / 20 for i in range(60)], (48, 64))
    bundle = make_bundle(folder / "bundle")
    found = har.predict(folder / "videos", model=bundle, out=folder / "out", jobs=1)
    (folder / "coding.csv").write_text(CODING)
    return folder, har.load(bundle), found


def test_an_error_is_one_line(found):
    folder, _, _ = found
    cell = nbformat.v4.new_code_cell("import har\nhar.load('nobody')")
    notebook = nbformat.v4.new_notebook(cells=[cell])
    client = nbclient.NotebookClient(
        notebook, timeout=120, allow_errors=True, resources={"metadata": {"path": str(folder)}}
    )
    client.execute()
    (output,) = notebook.cells[0].outputs
    assert output.ename == "BundleNotFoundError"
    assert output.traceback == [f"BundleNotFoundError: {output.evalue}"]
    assert "There is no bundle in nobody" in output.evalue


def test_several_videos_are_a_table(found):
    folder, model, predictions = found
    with pytest.warns(UserWarning, match="Left out"):
        listed = model.predict([folder / "videos" / "a.mp4", Path("absent.mp4")])
    assert isinstance(listed, list)
    for html in (predictions._repr_html_(), listed._repr_html_()):
        assert html.startswith("<table><tr><th>video</th><th>length</th><th>label</th>")
        assert "<td>3.0 s</td>" in html
    assert "&lt;b&gt;.mp4" in predictions._repr_html_()
    assert "There is no video absent.mp4" in listed._repr_html_()


def test_figures_and_rules_are_tables(found):
    folder, _, _ = found
    score = har.score_events(folder / "out" / "results.json", folder / "coding.csv")
    html = score._repr_html_()
    assert "2 events coded" in html
    assert "Recall" in html
    tuned = har.tune(folder / "out", folder / "coding.csv")
    html = tuned._repr_html_()
    assert html.startswith("<table><tr><th>label</th><th>onset</th>")
    assert "<td>active</td>" in html
    assert all(text.split(":")[0] in html for text in tuned.warnings)
