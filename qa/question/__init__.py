"""From a question as it was put to what is really asked: intent, parts, spelling, wording, time."""
