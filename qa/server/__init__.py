"""The HTTP face of the answering service: `app.create_app` wires it, `run.serve` runs it."""
