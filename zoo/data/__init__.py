"""Datasets: by name, from folders and from the Hub, and two that are made here."""
