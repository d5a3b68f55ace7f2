"""From the table to the rows of an analysis: derived, judged, followed, sampled."""
