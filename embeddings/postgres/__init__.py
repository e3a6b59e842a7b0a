"""The `Corpus` on a PostgreSQL server with pgvector, for several processes and large stores."""
