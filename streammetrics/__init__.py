"""streammetrics reports which error codes significantly increased in a new build, since when and by how much."""
