"""Follow-ups: takes a question and the turns before it, gives a question that stands alone, without any model."""
