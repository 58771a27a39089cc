"""What pages and evaluation compute from models and data: paths, reconstructions, distributions, scores."""
