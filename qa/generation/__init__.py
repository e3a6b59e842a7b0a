"""From evidence to checked sentences: prompt, draft, sentences, citation markers, checks."""
