"""The SQLite store: tables, filters, reads, writes, sealed passages."""
