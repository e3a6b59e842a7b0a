"""One module per area of the HTTP API; `qa.server.app` registers their handlers."""
