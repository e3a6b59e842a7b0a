"""What text means, wherever it comes from: words, names, dates, numbers, units, polarity, times."""
