"""Finds the passages that may answer a question: search, recency, time asked about, rerankers."""
