"""From a fitted model to the rows and blocks of a study, whatever the method."""
