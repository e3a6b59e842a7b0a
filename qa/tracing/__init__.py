"""Tells whoever traces it what a piece of work is made of; off unless QA_OTEL_ENDPOINT is set."""
