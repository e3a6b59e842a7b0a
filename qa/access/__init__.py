"""Who may use the service: keys, origins, the short-lived tokens of pages, and how much each may ask for."""
