"""The first draft of a study: questions about a table, answers, a protocol and a dictionary."""
