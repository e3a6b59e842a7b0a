"""Dataset formats of other projects: takes their files, gives examples and, where they come along, articles."""
