"""Renders bills in a process of their own: pictures and PDF pages become pixels. Free of Qt.

`worker.py` is the process. Only it imports the decoders: a stranger's file is never opened in the program.
"""
