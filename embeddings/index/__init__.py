"""Exact search over what the store holds: dense, lexical, and the immutable snapshot a search runs on."""
