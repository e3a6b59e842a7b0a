"""The HTTP service: `app.create_app` wires it, `run.serve` runs it."""
