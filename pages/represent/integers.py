"""Integers: a number that entries write, a picture that is read as a number, and an image as a grid of integers."""

import streamlit as st

from zoo import widgets
from zoo.analysis import integers, numerals
from zoo.widgets.integers import image_to_number, integer_grid, number_to_image, there_and_back


def main() -> None:
    st.title("Integers")
    st.markdown(
        "An image can be turned into an integer, and an integer into an image. A **conditional** model draws the digit "
        "that it is asked for, a **classifier** reads it, and a **VQ-VAE** writes a whole image as a few integers."
    )
    found = widgets.entries()
    readers = numerals.readers(found)
    with widgets.guard():
        written = number_to_image(numerals.writers(found))
        with widgets.guard():
            image_to_number(readers, written)
        # What takes longest is computed last, but stands where it belongs.
        returning, grid = st.container(), st.container()
        with grid, widgets.guard():
            integer_grid(integers.discrete(found), written)
        with returning, widgets.guard():
            there_and_back(readers, written)


main()
