"""A tour through the zoo: stops read from data files, what each shows, and the same steps as a notebook."""

from zoo.analysis.tour.facts import filled
from zoo.analysis.tour.reading import Stop, Tour, Wrong, listed, read, tours
from zoo.analysis.tour.setting import Setting, Shown
from zoo.analysis.tour.shows import SHOWS

__all__ = ["SHOWS", "Setting", "Shown", "Stop", "Tour", "Wrong", "filled", "listed", "read", "tours"]
