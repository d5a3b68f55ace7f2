"""Workers of a Dask cluster: the address and its encryption, what is sent, what runs on the far side."""
