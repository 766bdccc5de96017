"""Charts put values where the axes say, and their texts hold what is drawn."""

from __future__ import annotations

import re
from xml.etree import ElementTree as Xml

import numpy as np
import pytest

from har.metrics.intervals import Interval
from har.render.charts import Axis, LineChart, compute_ticks, draw_confusion, draw_interval
from har.render.svg import STYLE, Svg


def find(svg: Svg, tag: str) -> list[dict[str, str]]:
    return [element.attrib for element in Xml.fromstring(svg.to_html()).iter(tag)]  # noqa: S314 - our own


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (0, 1, [0, 0.2, 0.4, 0.6, 0.8, 1]),
        (1, 6, [1, 2, 3, 4, 5, 6]),
        (1, 40, [10, 20, 30, 40]),
        (0, 0.73, [0, 0.2, 0.4, 0.6]),
        (0, 0, [0]),
    ],
)
def test_ticks_are_round_and_within(low, high, ticks):
    assert compute_ticks(low, high) == ticks


def test_an_axis_is_linear_to_one_and_logarithmic_above():
    axis = Axis("n", 0.0, 1000.0, is_log=True)
    assert [axis.place(value) for value in (0, 1, 10, 1000)] == [0, 0.25, 0.5, 1]
    assert axis.list_ticks() == [0, 1, 10, 100, 1000]


def test_a_line_runs_from_lower_left_to_upper_right():
    chart = LineChart("Title", "What", Axis("x"), Axis("y"))
    chart.add_line([(0, 0), (1, 1)], 0, "up")
    (path,) = [item for item in find(chart, "path") if item["class"] == "line s0"]
    assert path["d"] == "M54 266L386 26"
    assert "up" in chart.to_html()
    steps = LineChart("Title", "", Axis("x"), Axis("y"))
    steps.add_line([(0, 0), (1, 1)], step=True)
    assert find(steps, "path")[0]["d"] == "M54 266L386 266L386 26L386 26"


def test_cells_of_a_confusion_are_dark_by_the_share_of_the_true_class():
    svg = draw_confusion(("hit", "play"), ((90, 10), (1, 9)), "clips")
    shown = [float(cell["fill-opacity"]) for cell in find(svg, "rect") if cell["class"] == "cell"]
    # Both rows are 90 % right although their counts are 90 and 9.
    assert shown == [0.5, 0.06, 0.06, 0.5]
    assert "<desc>hit: 90 as hit, 10 as play. play: 1 as hit, 9 as play</desc>" in svg.to_html()


@pytest.mark.parametrize("n_labels", [1, 2, 9])
def test_a_confusion_of_any_labels_is_drawn(n_labels):
    labels = ("$a_b$", "hitting others, " * 9, *"cdefghi")[:n_labels]
    svg = draw_confusion(labels, np.diag(range(n_labels)).tolist(), "clips")
    inside = [float(cell["x"]) + float(cell["width"]) for cell in find(svg, "rect")]
    assert max(inside) < svg.width


def test_an_interval_is_where_it_is_and_says_so():
    svg = draw_interval(Interval(0.5, 0.25, 0.75), 0.1, "AUC")
    (band,) = [cell for cell in find(svg, "rect") if cell["class"] == "band"]
    assert (float(band["x"]) - 6) / 150 == 0.25
    assert float(band["width"]) / 150 == pytest.approx(0.5, abs=0.01)
    assert "AUC: 0.500, between 0.250 and 0.750, chance level 0.100" in svg.to_html()
    assert "AUC: not defined" in draw_interval(Interval(None, None, None), None, "AUC").to_html()


def test_a_file_has_its_style_and_is_whole_whatever_the_text(tmp_path):
    svg = Svg(10, 10, 'a<b>&"\x00\udce9', "d")
    svg.text("x\x1b", 1, 1)
    svg.write(tmp_path / "new" / "a.svg")
    text = (tmp_path / "new" / "a.svg").read_text(encoding="utf-8")
    root = Xml.fromstring(text)  # noqa: S314 - our own
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert root[0].text == STYLE
    assert 'a<b>&"' in str([element.text for element in root])
    assert "xmlns" not in svg.to_html()


def test_colors_can_be_read_in_both_themes():
    def luminance(color: str) -> float:
        full = color if len(color) == 6 else "".join(letter * 2 for letter in color)
        parts = np.array([int(full[k : k + 2], 16) for k in (0, 2, 4)]) / 255
        linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
        return float(linear @ (0.2126, 0.7152, 0.0722))

    light, dark = STYLE.split("@media", 1)
    for theme in (light, dark[: dark.index("}\n}")]):
        colors = dict(re.findall(r"--([\w-]+): #(\w+)", theme))
        for name in ("ink", "soft", "accent", "warn", "bg", *(f"c{k}" for k in range(7))):
            for ground in ("paper", "wash") if name[0] != "c" else ("paper",):
                pair = sorted((luminance(colors[name]), luminance(colors[ground])))
                assert (pair[1] + 0.05) / (pair[0] + 0.05) >= 4.5, (name, ground)
