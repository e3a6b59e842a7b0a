"""Reading: which words of the retrieved passages answer a question, and how sure that is."""
