"""What the README promises in ten lines is true: they run as they stand there."""

import re
from pathlib import Path

import numpy as np

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")


def test_the_ten_lines_draw_a_picture_that_is_turned():
    (code,) = re.findall(r"## Ten lines\n\n```python\n(.*?)```", README, re.DOTALL)
    widgets, script = code.split("\n\n", 1)
    assert "Studio()" in widgets and len([line for line in code.splitlines() if line]) <= 10
    names = {}
    exec(script, names)
    picture, generator = names["picture"], names["generator"]
    assert picture.shape == (*generator.size, 3) and picture.dtype == np.uint8
    (before,) = re.findall(r"^latent = (generator\.sample\(.*\))$", script, re.MULTILINE)
    straight = names["to_pixels"](generator.draw(eval(before, names)))
    assert np.abs(picture.astype(int) - straight).mean() > 3  # of 255: a head that turns changes much
