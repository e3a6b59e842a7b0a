"""The SQLite file that is the truth: tables, filters, reads, writes, sealed passages."""
