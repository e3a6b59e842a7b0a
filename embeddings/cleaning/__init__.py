"""From what a reader found to a clean article: text, title, date, address and identity."""
