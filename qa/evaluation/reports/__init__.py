"""Reports of a scored run: Markdown, JUnit, JSON, and one HTML file that needs nothing else."""
