"""The mesh: regions that send one another what is written in each, and the operator's commands for it."""
