"""What can be evaluated: this process's own service, a running one, any OpenAI-compatible server."""
