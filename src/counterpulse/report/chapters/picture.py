"""A drawn scene as a figure of the document, in both its forms."""

from __future__ import annotations

from counterpulse.report.chapters.context import Context
from counterpulse.report.document import Figure
from counterpulse.report.figures.png import to_png
from counterpulse.report.figures.scene import Scene
from counterpulse.report.figures.svg import to_svg


def figure(context: Context, scene: Scene, *, id: str, caption: str) -> Figure:
    """Number a scene and set it; patients who are not real are named in the caption."""
    mark = f"{context.mark}. " if context.mark else ""
    return Figure(
        id=id,
        label=context.counter.figure(),
        title=f"{scene.title}." if not scene.title.endswith(".") else scene.title,
        caption=f"{mark}{caption}",
        alternative=scene.description,
        svg=to_svg(scene, prefix=id),
        png=to_png(scene),
        width=scene.width,
    )
