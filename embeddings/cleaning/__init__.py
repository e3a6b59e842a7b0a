"""Cleans a raw article: text, title, date, address and identity."""
