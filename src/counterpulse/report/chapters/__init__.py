"""From a plan and its result to the document, a chapter a file; `order` puts them together."""
