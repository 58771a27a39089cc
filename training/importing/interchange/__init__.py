"""ONNX networks of others: the file is checked and used as it is, no layer is made anew.

models.py    a file → a checked model whose batch is free
graphs.py    a model → the calls and shapes in which roles are found, images as height × width × channels
networks.py  a part of a graph → an ONNX network from and to images in [0, 1], compared with the file's own answers
"""
