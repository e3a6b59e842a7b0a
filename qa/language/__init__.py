"""What text means: words, names, dates, numbers, units, polarity, times."""
