"""Figures as scenes of paths and measured text, written as SVG and painted as PNG. Nothing here knows a study."""
