"""How the weights that ship are made: data to examples, examples to a network, a network to ONNX.

Nothing here is imported by what serves.
"""
