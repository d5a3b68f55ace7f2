"""A drawn scene as a numbered figure of the document."""

from __future__ import annotations

from dataclasses import replace

from counterpulse.report.chapters.context import Context
from counterpulse.report.document import Figure
from counterpulse.report.figures.scene import Scene, Text


def figure(context: Context, scene: Scene, *, id: str, caption: str) -> Figure:
    """Number a scene and set it; patients who are not real are named in the picture itself."""
    scene = _marked(scene, context.mark) if context.mark else scene
    return Figure(
        id=id,
        label=context.counter.figure(),
        title=f"{scene.title}." if not scene.title.endswith(".") else scene.title,
        caption=caption,
        alternative=scene.description,
        scene=scene,
    )


def _marked(scene: Scene, mark: str) -> Scene:
    """The picture with what kind of data it shows at its foot, so that it says so wherever it is pasted."""
    line = Text(x=4, y=scene.height + 11, text=mark, size=8, bold=True, color="#8c1c13")
    return replace(
        scene, height=scene.height + 16, width=max(scene.width, line.width + 8), shapes=(*scene.shapes, line)
    )
