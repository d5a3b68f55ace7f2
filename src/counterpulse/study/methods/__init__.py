"""The methods of the protocol language, one a file; `study.catalog` lists them."""
