"""Measures of retrieval, answers, grounding, abstention and speed: pure functions, each with its source."""
