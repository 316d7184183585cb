"""The file formats that a picture can be asked for, by the names people use."""

FORMATS = {"png": "png", "jpeg": "jpeg", "jpg": "jpeg", "webp": "webp"}
