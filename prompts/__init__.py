"""Every word sent to a model, one file per message."""
