"""The zoo: what an entry is and everything one can do with it; numpy in, numpy out, no Keras."""

__version__ = "0.2.0.dev0"
