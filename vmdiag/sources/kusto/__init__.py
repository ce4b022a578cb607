"""Sources that push down: they ask Kusto where the data is for what is worth a look, and move nothing else."""
