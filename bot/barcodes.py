"""Read the QR codes and bar codes in a picture that was cleaned before; what they say is for whoever asks to judge."""

import io

from PIL import Image, UnidentifiedImageError

_MAX_PIXELS = 2048 * 2048
"""No picture that we keep is larger (bot/pictures.py); anything else is not looked at."""
_LONGEST = 2000


def texts_in(data: bytes) -> list[str]:
    """Return what the codes in a picture say, each cut to 2 000 characters; [] for none and for what is no picture.

    Takes some hundredths of a second; to be called in a thread.
    """
    import zxingcpp  # a large library that most processes never need

    try:
        with Image.open(io.BytesIO(data), formats=("JPEG", "PNG")) as image:
            if image.width * image.height > _MAX_PIXELS:
                return []
            grey = image.convert("L")
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError):
        return []
    formats = zxingcpp.barcode_formats_from_str("QRCode,Code128")
    return [found.text[:_LONGEST] for found in zxingcpp.read_barcodes(grey, formats=formats)]
