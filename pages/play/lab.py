"""Live lab: a GAN, an autoencoder or a VAE of points in the plane, trained before one's eyes in the browser."""

import streamlit as st

from zoo import widgets


def main() -> None:
    st.title("Live lab")
    st.markdown(
        "A generator **G** turns noise into points, a discriminator **D** tells them from real ones; each learns from "
        "the other. They train here, in your browser, as soon as you press **Run**: nothing is sent anywhere."
    )
    widgets.live_lab()


main()
