"""One family per file: its paper in the first line, its networks and its loss. A new file is a new family."""
