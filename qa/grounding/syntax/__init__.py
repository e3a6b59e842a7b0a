"""Who did what in a sentence: a parser over the encoder's vectors, and what the trees of two sentences differ in."""
