"""The report of a systematic review: question, search, studies, bias, syntheses, certainty."""
