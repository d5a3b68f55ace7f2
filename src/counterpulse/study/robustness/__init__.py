"""How firmly the conclusions of a study stand, from its plan and its finished analyses."""
