"""Text in pictures, whatever is in it."""

from har.render.text import measure_text


def test_odd_bytes_of_a_file_name_are_drawn_as_question_marks():
    assert measure_text("caf\udce9", 14) == measure_text("caf?", 14)
