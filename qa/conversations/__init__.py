"""Conversations: questions with their answers, feedback, and how a follow-up is understood."""
