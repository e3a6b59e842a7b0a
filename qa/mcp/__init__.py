"""The archive as tools of the Model Context Protocol: what `qa mcp` offers to whoever speaks it."""
