"""Numbers that compare images and distributions: one metric per file, features → statistics → number.

Every function takes and gives numpy arrays, computes what it reports in float64 and knows nothing of entries or files.
"""
