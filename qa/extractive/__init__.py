"""Answering in the article's own words: pick the sentence that answers, then the few words in it that do."""
