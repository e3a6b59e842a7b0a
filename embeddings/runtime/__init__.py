"""How networks run on this machine: processors, native threads, verified ONNX sessions."""
