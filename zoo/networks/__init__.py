"""Networks of entries: checked, tried where they are a stranger's, opened and run by ONNX Runtime."""
