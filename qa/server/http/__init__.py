"""HTTP itself: bodies, headers, compression, CORS, problems, server-sent events."""
