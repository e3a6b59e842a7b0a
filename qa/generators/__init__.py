"""What writes drafts: any OpenAI-compatible model, or a script."""
