"""Who may use the service: API keys, origins, short-lived tokens of pages, and rate limits."""
