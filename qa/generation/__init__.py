"""From evidence to checked sentences: the prompt, the draft cut into sentences, their markers, the check of each."""
