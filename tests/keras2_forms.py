"""How configurations were written in older ages of Keras."""


def aged(config: dict, form: str) -> dict:
    """The configuration of a model in one of the old forms."""
    if form == "bare list":
        layers = config["config"]["layers"]
        shape = layers[0]["config"]["batch_input_shape"]
        kept = [layer for layer in layers if layer["class_name"] != "InputLayer"]
        kept[0]["config"]["batch_input_shape"] = shape
        return {"class_name": "Sequential", "config": kept}
    if form == "lambda sampling":
        config["class_name"] = "Model"
    for layer in _layers(config):
        options = layer["config"]
        if form == "axis" and "axis" in options:
            options["axis"] = options["axis"] if isinstance(options["axis"], list) else [options["axis"]]
        if form == "axis" and layer["class_name"] == "BatchNormalization":
            layer["class_name"] = "BatchNormalizationV1"
        if form == "groups" and layer["class_name"] == "Conv2DTranspose":
            options["groups"] = 1
        if form == "modules":
            layer["module"] = "tensorflow.python.keras.layers.core"
            layer["registered_name"] = "Package>Old"
        if form == "names" and layer["class_name"] == "LeakyReLU":
            options["alpha"] = {"class_name": "__numpy__", "type": "ndarray", "value": 0.30000001192092896}
        if form == "names" and layer["class_name"] == "Conv2DTranspose":
            layer["class_name"] = "Convolution2DTranspose"
        if form == "lambda sampling" and layer["class_name"] == "Sampling":
            layer["class_name"] = "Lambda"
            options |= {"function": ["4wEAAAAAAAAA", None, None], "function_type": "lambda"}
    return config


def _layers(config):
    for layer in config["config"]["layers"]:
        yield layer
        if isinstance(layer["config"], dict) and "layers" in layer["config"]:
            layer["class_name"] = "Model" if layer["class_name"] == "Functional" else layer["class_name"]
            yield from _layers(layer)
