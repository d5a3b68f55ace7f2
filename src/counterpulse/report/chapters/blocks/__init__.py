"""Tables and figures of blocks: one renderer for each kind."""
