"""The archive as tools of the Model Context Protocol, for `qa mcp` and the service."""

SDK = "mcp>=2.3,<3"
"""What pip is asked for where the SDK is missing; the extra `mcp` of this package asks for the same."""
