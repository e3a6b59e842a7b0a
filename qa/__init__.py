"""The online half: from a question to an answer in which every sentence can be checked."""
