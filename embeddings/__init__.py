"""The offline half: from files to cleaned articles, passages, vectors and the store that holds them.

Knows nothing of questions, prompts or HTTP; `qa` builds on it, never the other way round.
"""
