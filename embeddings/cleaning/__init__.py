"""From what a parser found to a clean article: text, title, date, address and identity."""
