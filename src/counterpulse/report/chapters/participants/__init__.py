"""Who was studied: the flow diagram, the criteria, Table 1."""
