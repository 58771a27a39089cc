"""What networks are called, which comes before what their shapes say."""

import re

WORDS: tuple[tuple[str, str], ...] = (  # role, pattern; the first that is found counts
    ("decoder", r"decod"),
    ("discriminator", r"discrim|critic|net_?d(?![a-z0-9])|(^|[_\W])d(isc)?([_\W]|$)"),
    ("encoder", r"encod"),
    ("translator", r"unet|u-net|pix2pix|translat|a_?(to|2)_?b|b_?(to|2)_?a|g_ab|g_ba|super_?res|srgan|esrgan|srcnn"
     r"|colou?ri[sz]|denois|deblur|inpaint|segment|style_?transfer"),
    ("generator", r"generat|net_?g(?![a-z0-9])|(^|[_\W])g(en)?([_\W]|$)"),
    ("classifier", r"classif"),
    ("autoencoder", r"(^|[_\W])c?v?ae([_\W]|$)"),
)  # fmt: skip


def role_in(name: str) -> str | None:
    """The role that a name of a file or network speaks of, None where it speaks of none.

    >>> role_in("my_autoencoder_final.keras"), role_in("netG_epoch_5.h5"), role_in("model.keras")
    ('autoencoder', 'generator', None)
    """
    name = re.sub(r"\.(keras|h5|hdf5|weights|onnx|zip|index|safetensors|pth?|bin|ckpt)(?=\.|$)", "", name.lower())
    whole = re.search(r"auto[_ -]?encoder|cyclegan|cycle_gan", name)
    rest = re.sub(r"auto[_ -]?encoder", "", name)
    found = [role for role, pattern in WORDS if re.search(pattern, rest)]
    if {"encoder", "decoder"} <= set(found):
        return "autoencoder"
    if whole and not {"encoder", "decoder", "discriminator"} & set(found):
        return "autoencoder" if "encoder" in whole[0] else "translator"
    return found[0] if found else None


def role_of(label: str, network: str) -> str | None:
    """The role that a network's file, or else its own name, speaks of.

    Args:
        label: place of the file in its source, and the network's key where the file holds several.
        network: the network's own name.
    """
    file, _, key = label.partition(": ")
    for name in filter(None, (key, file.rpartition("/")[2], network, file)):
        if role := role_in(name):
            return role
    return None
