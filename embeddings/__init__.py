"""The offline half: from files to cleaned articles, passages, vectors and the store that holds them.

Knows nothing of questions, prompts or HTTP; `qa` builds on it, never the other way round.
"""

from embeddings.runtime import let_threads_sleep

let_threads_sleep()  # here, because every library that brings OpenMP is imported by a module of this package, or later
