"""What a network is, by what it is called and the shapes that go in and come out, and where a whole is cut in two.

vector → image            generator, or decoder when it comes with an encoder or is called one
image → vector            encoder; classifier when a softmax ends it; discriminator when the vector is one number
image → same image        autoencoder: cut at the sampling step, between networks inside, or where it is narrowest
image → another image     translator: other size, other channels, or no bottleneck
vector → image → 1        a whole GAN: cut at the image
vector or image + label   conditional; the label is an index or one-hot

parts.py     a part of a graph with a role, and images as shapes
names.py     what networks are called
networks.py  the parts that one network gives
cuts.py      autoencoders and whole GANs, cut in two
entries.py   parts of several networks that belong together
"""

from training.importing.roles.entries import Found, grouped
from training.importing.roles.names import role_in
from training.importing.roles.networks import parts_of
from training.importing.roles.parts import Label, Part, size

__all__ = ["Found", "Label", "Part", "grouped", "parts_of", "role_in", "size"]
