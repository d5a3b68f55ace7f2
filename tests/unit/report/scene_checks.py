"""What a reader sees of a scene: which texts overlap, and what leaves the picture."""

from __future__ import annotations

from itertools import combinations

from counterpulse.report.figures.scene import Path, Text

TOUCH = 0.5  # points two texts may share: less than the white around the letters
EDGE = 0.01  # points of rounding


def text_box(text):
    """Left, top, right and bottom of a text as it stands on the page."""
    if text.upright:
        left, width = text.left, text.width
        return left, text.y - 0.72 * text.size, left + width, text.y + 0.2 * text.size
    middle = {"start": 0.5, "middle": 0.0, "end": -0.5}[text.anchor] * text.width
    return (
        text.x - 0.72 * text.size,
        text.y - middle - text.width / 2,
        text.x + 0.2 * text.size,
        text.y - middle + text.width / 2,
    )


def overlapping(scene):
    """Pairs of texts of which one covers the other."""
    boxes = [(shape.text, text_box(shape)) for shape in scene.shapes if isinstance(shape, Text) and shape.text.strip()]
    return [
        (one, other)
        for (one, a), (other, b) in combinations(boxes, 2)
        if a[0] < b[2] - TOUCH and b[0] < a[2] - TOUCH and a[1] < b[3] - TOUCH and b[1] < a[3] - TOUCH
    ]


def outside(scene):
    """What leaves the picture."""
    found = []
    for shape in scene.shapes:
        if isinstance(shape, Path):
            corners = shape.points
        else:
            left, top, right, bottom = text_box(shape)
            corners = ((left, top), (right, bottom))
        for x, y in corners:
            if not (-EDGE <= x <= scene.width + EDGE and -EDGE <= y <= scene.height + EDGE):
                found.append((getattr(shape, "text", "a path"), round(x, 1), round(y, 1)))
    return found


def assert_clean(scene):
    """No two texts overlap, nothing leaves the picture, and it is described in words that are not too many."""
    assert overlapping(scene) == []
    assert outside(scene) == []
    assert scene.title
    assert 0 < len(scene.description) <= 1500
