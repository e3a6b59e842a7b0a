"""OpenAI's wire format for our answers: pure translation, in both directions; `qa.server.routes.openai_*` serve it."""
